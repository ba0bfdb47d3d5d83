import type { Containers } from '../containers/index.ts'
import type { Controller } from './types.ts'

/** Has every container probed that runs and has a health check. */
export function healthController(containers: Containers): Controller {
  return {
    name: 'health',
    triggers: { Container: ({ metadata, spec }) => (spec.healthcheck === undefined ? undefined : metadata.uid) },
    async reconcile(_ctx, uid) {
      containers.syncHealth(uid)
      return undefined
    },
  }
}
