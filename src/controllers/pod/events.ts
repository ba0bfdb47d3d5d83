import type { Pod } from '../../model/kube/stored.ts'
import { tellOf } from '../../resources/index.ts'
import type { Store } from '../../store/index.ts'

/** Tells what happened to a pod, some ms later; nobody waits for it. */
export function tellOfPod(
  store: Store,
  pod: Pod,
  reason: string,
  message: string,
  options?: { readonly type?: 'Normal' | 'Warning'; readonly container?: string },
): void {
  store.writeSoon((tx) => tellOf(tx, 'Pod', pod, reason, message, options))
}
