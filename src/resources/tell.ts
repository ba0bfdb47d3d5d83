import { eventOf } from '../model/event.ts'
import type { ObjectMeta } from '../model/meta.ts'
import type { WriteTx } from '../store/index.ts'

/** Tells what happened to an object, in Kubernetes' words for it: `Started`, `SuccessfulCreate` ... */
export function tellOf(
  tx: WriteTx,
  kind: string,
  object: { readonly metadata: ObjectMeta },
  reason: string,
  message: string,
  { type = 'Normal', container }: { readonly type?: 'Normal' | 'Warning'; readonly container?: string } = {},
): void {
  const { namespace } = object.metadata
  const attributes = { namespace, type, reason, message, ...(container !== undefined && { container }) }
  tx.event(eventOf(kind, object, reason, attributes))
}
