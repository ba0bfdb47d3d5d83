import { StatusError } from './errors.ts'

export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q'

/** The bytes of a sequence as docker writes it: `ctrl-p,ctrl-q`, or `a,b`. @throws {StatusError} `invalid_argument` */
export function parseDetachKeys(text: string): Uint8Array {
  return Uint8Array.from(
    text.split(',').map((key) => {
      const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(key)?.[1]
      if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f
      if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0)
      throw new StatusError(
        'invalid_argument',
        `Cannot read the detach keys "${text}": give letters and ctrl-LETTER, with commas in between`,
      )
    }),
  )
}

export interface Detaching {
  /** What goes on to the process. */
  readonly forward: Uint8Array
  readonly isDetached: boolean
}

/** Looks for the sequence in what is typed. A part of it is kept back until it is clear that it is none. */
export function detachScanner(keys: Uint8Array): (typed: Uint8Array) => Detaching {
  let matched = 0
  return (typed) => {
    const forward: number[] = []
    for (const byte of typed) {
      if (byte !== keys[matched] && matched > 0) {
        forward.push(...keys.subarray(0, matched))
        matched = 0
      }
      if (byte !== keys[matched]) forward.push(byte)
      else if (++matched === keys.length) return { forward: Uint8Array.from(forward), isDetached: true }
    }
    return { forward: Uint8Array.from(forward), isDetached: false }
  }
}
