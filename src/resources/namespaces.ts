import { randomUUID } from 'node:crypto'
import { StatusError } from '../lib/errors.ts'
import type { ReadTx, WriteTx } from '../store/index.ts'

/** As Raind's manifests expect it: a namespace need not be made before it is used. */
export function ensureNamespace(tx: WriteTx, name: string): void {
  if (tx.get('Namespace', name, '') !== undefined) return
  const labels = { 'kubernetes.io/metadata.name': name }
  tx.create('Namespace', { namespace: '', name, uid: randomUUID(), labels, spec: {}, status: { phase: 'Active' } })
}

/** Nothing new comes into a namespace that is on its way out. @throws {StatusError} `conflict` */
export function assertNamespaceStays(tx: ReadTx, what: string, name: string): void {
  if (name === '' || tx.get('Namespace', name, '')?.metadata.deletedAt === undefined) return
  throw new StatusError('conflict', `Cannot apply ${what}: namespace "${name}" is being deleted: wait until it is gone`)
}
