/** ns since the epoch. */
export function nowNs(): bigint {
  return Temporal.Now.instant().epochNanoseconds
}
