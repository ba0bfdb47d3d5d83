import type { Fault } from '../../../lib/examine.ts'

/** What is wrong with a part of a manifest that has the fields and types of its schema. */
export type Faults = Iterable<Fault>

/** One fault, if there is a problem. */
export function* faultIf(path: string, problem: string | undefined | false): Faults {
  if (problem !== undefined && problem !== false) yield { path, problem }
}

/** Of values by their paths: each that an earlier one has, too. */
export function* repeatFaults(values: Iterable<readonly [path: string, value: string]>): Faults {
  const first = new Map<string, string>()
  for (const [path, value] of values) {
    const earlier = first.get(value)
    if (earlier === undefined) first.set(value, path)
    else yield { path, problem: `repeats "${earlier}"` }
  }
}

/** Of an object that must have exactly one of some properties. */
export function* choiceFaults(path: string, object: object, choices: readonly string[]): Faults {
  const given = choices.filter((choice) => Object.hasOwn(object, choice))
  yield* faultIf(path, given.length === 0 && `must have one of ${choices.join(', ')}`)
  yield* faultIf(path, given.length > 1 && `may have only one of ${given.join(', ')}`)
}

/** Of a text for which there is a parser that throws. */
export function problemOf(parse: () => unknown): string | undefined {
  try {
    parse()
    return undefined
  } catch (error) {
    return `is refused: ${(error as Error).message}`
  }
}
