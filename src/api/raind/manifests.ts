import type { Ctx } from '../../lib/ctx.ts'
import { withoutUndefined } from '../../lib/without-undefined.ts'
import {
  type AppliedObject,
  type ApplyOptions,
  MAX_MANIFEST_BYTES,
  type ObjectDiff,
  type ObjectName,
  type Resources,
} from '../../resources/index.ts'
import { readText } from '../http/body.ts'
import { type Route, route } from '../http/route.ts'
import { success } from './envelope.ts'
import {
  type ApplyQuery,
  applyQuery,
  deleteManifestQuery,
  type WireApplied,
  type WireAppliedObject,
  type WireDeleted,
  type WireObjectDiff,
} from './kube-types.ts'

/** As the original of Raind takes manifests. */
export const RAIND_APPLY: ApplyOptions = { manager: 'raind', raind: { zeroReplicas: false } }

/** @param ctx the daemon's: what is deleted by force is made anew, whether the client is still there or not */
export function manifestRoutes(resources: Resources, ctx: Ctx): readonly Route[] {
  return [
    route('POST', '/v1/resource/apply', { query: applyQuery }, async ({ stream, query }) => {
      const applied = await resources.apply(ctx, await readText(stream, MAX_MANIFEST_BYTES), toApply(query))
      return success(201, 'resources applied', wireApplied(applied))
    }),

    route('POST', '/v1/resource/diff', { query: applyQuery }, async ({ stream, query }) => {
      const diffs = await resources.diff(await readText(stream, MAX_MANIFEST_BYTES), toApply(query))
      return success(200, 'resources compared', diffs.map(wireDiff))
    }),

    route(
      'POST',
      '/v1/resource/delete',
      { query: deleteManifestQuery, waits: true },
      async ({ ctx, stream, query }) => {
        const { wait, gracePeriod, ...rest } = query
        const options = withoutUndefined({ ...rest, graceSeconds: gracePeriod })
        const deleted = await resources.deleteManifest(await readText(stream, MAX_MANIFEST_BYTES), options)
        if (wait) await resources.untilGone(ctx, deleted)
        return success(200, 'resources deleted', wireDeleted(deleted))
      },
    ),
  ]
}

function toApply({ force, zeroReplicas = false, namespace }: ApplyQuery): ApplyOptions {
  return { manager: 'raind', raind: { zeroReplicas }, ...(force && { force }), ...(namespace && { namespace }) }
}

function wireApplied(applied: readonly AppliedObject[]): WireApplied {
  const named = applied.map(({ kind, object }) => {
    const { name, namespace = '', uid } = object.metadata
    return { kind, name, namespace, uid }
  })
  const pods = named
    .filter(({ kind }) => kind === 'Pod' || kind === 'ReplicaSet')
    .map(({ kind, name, namespace, uid }) => ({
      podId: kind === 'Pod' ? uid : '',
      ...(kind === 'ReplicaSet' && { replicaSetId: uid }),
      name,
      namespace,
      containerIds: null,
    }))
  const warnings = applied.flatMap(({ kind, object, warnings }) =>
    warnings.map((warning) => `${kind} "${object.metadata.name}": ${warning}`),
  )
  return {
    pods: orNull(pods),
    services: orNull(servicesOf(named)),
    results: orNull(applied.map(wireResult)),
    warnings: orNull(warnings),
  }
}

function wireResult({ kind, action, object, warnings }: AppliedObject): WireAppliedObject {
  const { name, namespace = '', uid } = object.metadata
  return { apiVersion: object.apiVersion, kind, namespace, name, uid, action, warnings: orNull(warnings) }
}

function wireDiff({ before, ...rest }: ObjectDiff): WireObjectDiff {
  return { ...rest, before: before ?? null }
}

function wireDeleted(deleted: readonly ObjectName[]): WireDeleted {
  const ofKind = (wanted: string) => deleted.filter(({ kind }) => kind === wanted)
  return {
    pods: orNull(ofKind('Pod').map(({ uid, name, namespace }) => ({ podId: uid, name, namespace }))),
    replicasets: orNull(
      ofKind('ReplicaSet').map(({ uid, name, namespace }) => ({ replicaSetId: uid, name, namespace })),
    ),
    services: orNull(servicesOf(deleted)),
    results: orNull(deleted),
  }
}

function servicesOf(named: readonly ObjectName[]) {
  return named
    .filter(({ kind }) => kind === 'Service')
    .map(({ uid, name, namespace }) => ({ serviceId: uid, name, namespace }))
}

function orNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list
}
