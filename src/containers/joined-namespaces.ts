import { StatusError } from '../lib/errors.ts'
import type { Container, ContainerOptions } from '../model/container.ts'
import { joinedContainer, joining, NAMESPACE_KINDS, type NamespaceKind } from '../model/namespace-mode.ts'
import { NamespaceHandles, type OciSpecInput } from '../runtime/index.ts'
import type { ReadTx } from '../store/index.ts'
import type { Deps } from './deps.ts'
import { findContainer } from './find.ts'

/** The options with full ids for the containers whose namespaces are joined. @throws {StatusError} `not_found`, `invalid_argument` */
export function resolveJoined(tx: ReadTx, options: ContainerOptions): ContainerOptions {
  const modes = NAMESPACE_KINDS.flatMap((kind) => {
    const ref = joinedContainer(options[`${kind}Mode`])
    if (ref === undefined) return []
    const container = findContainer(tx, ref)
    if (kind === 'ipc') assertShareable(container)
    return [[`${kind}Mode`, joining(container.metadata.uid)]]
  })
  return { ...options, ...Object.fromEntries(modes) }
}

/** The namespaces that a start joins, held open until disposed. */
export interface JoinedNamespaces extends Disposable {
  readonly namespaces: NonNullable<OciSpecInput['namespaces']>
  /** Comes with an IPC namespace. */
  readonly shmDir?: string
}

/** @throws {StatusError} `failed_precondition` if a container to join does not run (any more) */
export function joinNamespaces({ store, paths }: Deps, { metadata, spec }: Container): JoinedNamespaces {
  using stack = new DisposableStack()
  const handles = stack.use(new NamespaceHandles())
  const namespaces: Partial<Record<NamespaceKind, 'host' | { path: string }>> = {}
  let shmDir = spec.ipcMode === 'shareable' ? paths.shm(metadata.uid) : undefined
  for (const kind of NAMESPACE_KINDS) {
    const mode = spec[`${kind}Mode`]
    const id = joinedContainer(mode)
    if (mode === 'host') namespaces[kind] = 'host'
    if (id === undefined) continue
    const other = store.read((tx) => tx.getByUid('Container', id))
    if (other === undefined) throw cannotJoin(metadata.name, kind, `container ${id.slice(0, 12)} has been removed`)
    const path = other.status.pid === undefined ? undefined : handles.hold(processOf(other), kind)
    if (path === undefined) {
      throw cannotJoin(metadata.name, kind, `container "${other.metadata.name}" is not running; start that one first`)
    }
    namespaces[kind] = { path }
    if (kind === 'ipc') shmDir = paths.shm(id)
  }
  const owned = stack.move()
  return { namespaces, ...(shmDir !== undefined && { shmDir }), [Symbol.dispose]: () => owned.dispose() }
}

function processOf({ status }: Container) {
  return { pid: status.pid!, pidStartTime: status.pidStartTime! }
}

function cannotJoin(name: string, kind: NamespaceKind, why: string): StatusError {
  return new StatusError(
    'failed_precondition',
    `Cannot start container "${name}": it joins the ${kind} namespace of another, and ${why}`,
  )
}

function assertShareable({ metadata, spec }: Container): void {
  if (spec.ipcMode === 'shareable') return
  throw new StatusError(
    'invalid_argument',
    `Cannot join the ipc namespace of container "${metadata.name}": it is private; create that one with ipcMode "shareable"`,
  )
}
