import type { Controller } from '../types.ts'
import type { PodProbes } from './probes.ts'

/** Has the containers of pods probed while they run. */
export function podProbesController(probes: Pick<PodProbes, 'sync'>): Controller {
  return {
    name: 'pod-probes',
    triggers: {
      Container: ({ metadata, spec }) =>
        spec.pod === undefined || spec.pod.role === 'infra' ? undefined : metadata.uid,
    },
    async reconcile(_ctx, uid) {
      probes.sync(uid)
      return undefined
    },
  }
}
