import type { Kind, Kinds } from '../model/kinds.ts'
import { KUBE_KINDS, type KubeKind } from '../model/kube/kinds.ts'
import { collect, FOREGROUND, isGarbage } from '../resources/index.ts'
import type { Store } from '../store/index.ts'
import type { Controller, Triggers } from './types.ts'

const KINDS = Object.keys(KUBE_KINDS) as readonly KubeKind[]

/** Has objects go whose owners have gone, and those that wait for what they own when that has. A key is `Pod/<uid>`. */
export function garbageController(store: Store): Controller {
  return {
    name: 'garbage',
    triggers: Object.fromEntries(KINDS.map((kind) => [kind, keysOf(kind)])) as Triggers,
    async reconcile(_ctx, key) {
      const [kind, uid] = key.split('/') as [KubeKind, string]
      // A look costs less than a transaction that changes nothing.
      if (store.read((tx) => isGarbage(tx, kind, uid))) store.write((tx) => collect(tx, kind, uid))
      return undefined
    },
  }
}

function keysOf(kind: KubeKind): (object: Kinds[Kind]) => readonly string[] {
  return ({ metadata }) => {
    const { uid, ownerReferences = [], finalizers = [], deletedAt } = metadata
    const concerns = deletedAt === undefined ? ownerReferences.length > 0 : finalizers.includes(FOREGROUND)
    const owners = ownerReferences
      .filter((owner) => owner.blockOwnerDeletion === true && Object.hasOwn(KUBE_KINDS, owner.kind))
      .map((owner) => `${owner.kind}/${owner.uid}`)
    return [...(concerns ? [`${kind}/${uid}`] : []), ...owners]
  }
}
