/** What 2^64 - 1 becomes as a number, and what reading it back gives. */
export const RLIM_INFINITY = 2 ** 64

/** JSON of OCI documents: `RLIM_INFINITY`, which no number can be, is written as the runtimes must read it. */
export function encodeOci(document: object): string {
  return JSON.stringify(document, (_key, value) => (value === RLIM_INFINITY ? UINT64_MAX : value))
}

declare global {
  interface JSON {
    rawJSON(text: string): unknown
  }
}

const UINT64_MAX = JSON.rawJSON('18446744073709551615')
