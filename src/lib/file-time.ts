/** Seconds since the epoch (negative before it) and nanoseconds from there, 0 to 999,999,999. */
export interface FileTime {
  readonly seconds: number
  readonly nanoseconds: number
}
