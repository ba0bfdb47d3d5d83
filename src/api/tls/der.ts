/** DER (X.690), as much of it as certificates are made of. */

export function sequence(...items: readonly Uint8Array[]): Buffer {
  return value(0x30, ...items)
}

export function set(...items: readonly Uint8Array[]): Buffer {
  return value(0x31, ...items)
}

/** Of a number that is not negative, by its big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0)
  const digits = start < 0 ? Buffer.of(0) : bytes.subarray(start)
  return value(0x02, ...(digits[0]! >= 0x80 ? [Buffer.of(0)] : []), digits)
}

export function boolean(isTrue: boolean): Buffer {
  return value(0x01, Buffer.of(isTrue ? 0xff : 0))
}

export const nothing = Buffer.of(0x05, 0)

/** `2.5.29.17` */
export function objectId(text: string): Buffer {
  const [first, second, ...rest] = text.split('.').map(Number)
  return value(0x06, Buffer.from([first! * 40 + second!, ...rest].flatMap(base128)))
}

/** Letters, digits, space and a few signs. */
export function printableString(text: string): Buffer {
  return value(0x13, Buffer.from(text, 'latin1'))
}

/** `unused` bits at the end of the last byte do not count. */
export function bitString(bytes: Uint8Array, unused = 0): Buffer {
  return value(0x03, Buffer.of(unused), bytes)
}

export function octetString(bytes: Uint8Array): Buffer {
  return value(0x04, bytes)
}

/** In whole seconds; a UTCTime before 2050, a GeneralizedTime from then on (RFC 5280, 4.1.2.5). */
export function time(ms: number): Buffer {
  const text = `${new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')}`
  return ms < Date.UTC(2050) ? value(0x17, Buffer.from(text.slice(2))) : value(0x18, Buffer.from(text))
}

/** `[tag]` around values, or in place of the tag of one (IMPLICIT) if that is not `constructed`. */
export function context(tag: number, constructed: boolean, ...items: readonly Uint8Array[]): Buffer {
  return value(0x80 | (constructed ? 0x20 : 0) | tag, ...items)
}

function value(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  return Buffer.concat([Buffer.of(tag), lengthOf(content.length), content])
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length)
  const bytes = bigEndian(length)
  return Buffer.of(0x80 | bytes.length, ...bytes)
}

function bigEndian(number: number): number[] {
  return number === 0 ? [] : [...bigEndian(Math.floor(number / 256)), number % 256]
}

/** Seven bits a byte, all but the last with the high bit set. */
function base128(number: number): number[] {
  const high = Math.floor(number / 128)
  return [...(high === 0 ? [] : base128(high).map((byte) => byte | 0x80)), number % 128]
}
