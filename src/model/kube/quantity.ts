import { StatusError } from '../../lib/errors.ts'
import { anyOf, number, type Static, string } from '../../lib/schema.ts'

/** `500m`, `1.5`, `64Mi`, `2G`, `1e3`, or a bare number. */
export const quantity = anyOf(string(), number())

export type Quantity = Static<typeof quantity>

const SYNTAX = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d{1,3}))?$/
const POWERS_OF_1024 = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const EXPONENTS: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const LARGEST = 2 ** 63

/**
 * The number that is nearest to a quantity of Kubernetes, in its own unit: bytes, cores. It may have a fraction, and
 * be negative. @throws {StatusError} `invalid_argument`
 */
export function parseQuantity(text: Quantity): number {
  const [, digits, binary, decimal = '', exponent = EXPONENTS[decimal] ?? 0] = SYNTAX.exec(String(text)) ?? []
  // One conversion, so that 0.1 is what 100m gives.
  const value = Number(`${digits}e${exponent}`) * 1024 ** (POWERS_OF_1024.indexOf(binary ?? '') + 1)
  if (Math.abs(value) <= LARGEST) return value
  throw new StatusError(
    'invalid_argument',
    `Invalid quantity ${JSON.stringify(text).slice(0, 40)}: want a number, with a suffix such as m, k, M, G, Ki, Mi or Gi if you like, as in 500m or 64Mi`,
  )
}

/** Undefined for what is no quantity. */
export function quantityOf(text: Quantity): number | undefined {
  try {
    return parseQuantity(text)
  } catch {
    return undefined
  }
}
