import { StatusError } from '../lib/errors.ts'
import type { NamespaceMode } from './container.ts'

export const NAMESPACE_KINDS = ['pid', 'ipc', 'uts'] as const
export type NamespaceKind = (typeof NAMESPACE_KINDS)[number]

const JOIN = 'container:'

/**
 * Parses `host`, `private`, `container:REF` and, for ipc, `shareable`; undefined for `private`.
 * @throws {StatusError} `invalid_argument`
 */
export function parseNamespaceMode(kind: NamespaceKind, text: string): NamespaceMode | undefined {
  if (text === '' || text === 'private') return undefined
  if (text === 'host' || (text === 'shareable' && kind === 'ipc')) return text
  if (text.startsWith(JOIN) && text.length > JOIN.length) return text as NamespaceMode
  const known = ['host', 'private', ...(kind === 'ipc' ? ['shareable'] : []), 'container:NAME']
  throw new StatusError(
    'invalid_argument',
    `Invalid ${kind} mode "${text.slice(0, 100)}": known are ${known.join(', ')}`,
  )
}

/** The container whose namespace is joined, if any. */
export function joinedContainer(mode: NamespaceMode | undefined): string | undefined {
  return mode?.startsWith(JOIN) ? mode.slice(JOIN.length) : undefined
}

export function joining(containerId: string): NamespaceMode {
  return `container:${containerId}`
}
