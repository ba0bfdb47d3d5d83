import type { Ctx } from '../lib/ctx.ts'
import type { Kinds } from '../model/kinds.ts'
import type { KubeKind } from '../model/kube/kinds.ts'
import { selects } from '../model/kube/label-selector.ts'
import type { Store } from '../store/index.ts'
import { kubeObject } from './kube-object.ts'
import type { ListOptions, ObjectChange } from './types.ts'

/** All there are, and then every change. */
export async function* watchObjects(
  ctx: Ctx,
  store: Store,
  kind: KubeKind,
  options: ListOptions,
): AsyncGenerator<ObjectChange, void, undefined> {
  const { present, after } = store.read((tx) => ({ present: tx.list(kind), after: tx.revision() }))
  for (const object of present) {
    if (fits(object, options)) yield { type: 'ADDED', object: kubeObject(kind, object) }
  }
  const types = { created: 'ADDED', updated: 'MODIFIED', deleted: 'DELETED' } as const
  for await (const { action, object } of store.watch(ctx, { kinds: [kind], after })) {
    const changed = object as Kinds[KubeKind]
    if (fits(changed, options)) yield { type: types[action], object: kubeObject(kind, changed) }
  }
}

export function fits({ metadata }: Kinds[KubeKind], { namespace, selector }: ListOptions): boolean {
  if (namespace !== undefined && metadata.namespace !== '' && metadata.namespace !== namespace) return false
  return selector === undefined || selects(selector, metadata.labels)
}
