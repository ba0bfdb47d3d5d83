import { StatusError, toStatusError } from '../lib/errors.ts'
import type { Fault } from '../lib/examine.ts'
import type { Conflict } from '../model/kube/merge/index.ts'
import type { DocumentPlace } from './documents.ts'

/** Why one document of a manifest cannot be applied or deleted. */
export interface DocumentFailure extends DocumentPlace {
  /** These as far as they are known. */
  readonly kind?: string
  readonly namespace?: string
  readonly name?: string
  readonly code: StatusError['code']
  readonly message: string
  /** Where in the object, if that is known. */
  readonly faults: readonly Pick<Fault, 'path' | 'problem'>[]
}

const MAX_TOLD = 10
const LONGEST_NAME = 253

/** @throws what is no fault of the manifest */
export function failureOf({ document, place }: DocumentPlace, value: unknown, thrown: unknown): DocumentFailure {
  const error = toStatusError(thrown)
  if (error.code === 'internal') throw thrown
  const { code, message } = error
  return { document, place, ...namesOf(value), code, message, faults: faultsOf(error) }
}

export function isFailure(outcome: object): outcome is DocumentFailure {
  return 'message' in outcome
}

/** What all failures are told as: `details.documents` has each of them. */
export function refusal(failures: readonly DocumentFailure[], documents: number): StatusError {
  const [first, ...more] = failures
  const details = { documents: failures }
  if (more.length === 0) return new StatusError(first!.code, first!.message, { details })
  const told = failures
    .slice(0, MAX_TOLD)
    .map(({ place, message }) => (message.includes(place) ? message : `${place}: ${message}`))
  const rest = failures.length > MAX_TOLD ? [`and ${failures.length - MAX_TOLD} more`] : []
  const lines = [`${failures.length} of ${documents} objects are refused:`, ...told, ...rest]
  return new StatusError(first!.code, lines.join('\n  '), { details })
}

/** The values of what could be read. @throws {StatusError} `details.documents` has each that could not */
export function assertAll<T extends object>(outcomes: readonly (T | DocumentFailure)[]): T[] {
  const failures = outcomes.filter(isFailure)
  if (failures.length > 0) throw refusal(failures, outcomes.length)
  return outcomes as T[]
}

function faultsOf({ details = {} }: StatusError): DocumentFailure['faults'] {
  const { faults = [], conflicts = [] } = details as { faults?: readonly Fault[]; conflicts?: readonly Conflict[] }
  return [
    ...faults.map(({ path, problem }) => ({ path, problem })),
    ...conflicts.map(({ path, manager }) => ({ path, problem: `is managed by "${manager}"` })),
  ].slice(0, MAX_TOLD)
}

function namesOf(value: unknown): Pick<DocumentFailure, 'kind' | 'namespace' | 'name'> {
  const { kind, metadata } = (value ?? {}) as { kind?: unknown; metadata?: unknown }
  const { name, namespace } = (metadata ?? {}) as { name?: unknown; namespace?: unknown }
  const texts = Object.entries({ kind, namespace, name }).filter(([, text]) => typeof text === 'string' && text !== '')
  return Object.fromEntries(texts.map(([key, text]) => [key, (text as string).slice(0, LONGEST_NAME)]))
}
