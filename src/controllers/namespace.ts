import { Deletion } from '../resources/index.ts'
import type { Store } from '../store/index.ts'
import type { Controller } from './types.ts'

/** Removes namespaces that are to go when the last object in them has gone. */
export function namespaceController(store: Store): Controller {
  const ofName = (name: string) => {
    const namespace = store.read((tx) => tx.get('Namespace', name, ''))
    return namespace?.metadata.deletedAt === undefined ? undefined : namespace.metadata.uid
  }
  return {
    name: 'namespace',
    triggers: {
      Namespace: ({ metadata }) => (metadata.deletedAt === undefined ? undefined : metadata.uid),
      Pod: ({ metadata }) => ofName(metadata.namespace),
      ReplicaSet: ({ metadata }) => ofName(metadata.namespace),
      Service: ({ metadata }) => ofName(metadata.namespace),
      ConfigMap: ({ metadata }) => ofName(metadata.namespace),
      Secret: ({ metadata }) => ofName(metadata.namespace),
    },
    async reconcile(_ctx, uid) {
      store.write((tx) => {
        const namespace = tx.getByUid('Namespace', uid)
        if (namespace !== undefined) new Deletion(tx).finish('Namespace', namespace)
      })
      return undefined
    },
  }
}
