import type { Bottles } from '../../bottles/index.ts'
import type { Containers } from '../../containers/index.ts'
import type { Images } from '../../images/index.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { settleFaults } from '../../model/finding.ts'
import type { Store } from '../../store/index.ts'
import { type Route, route } from '../http/route.ts'
import { success } from './envelope.ts'
import { systemPruneBody, toPruneFilter } from './prune.ts'
import { countStates, wireDiskUsage } from './system-convert.ts'
import type { WireDaemon, WireDiskUsage, WireSystemCheck, WireSystemInfo, WireSystemPruned } from './system-types.ts'
import { systemCheckBody } from './system-types.ts'
import type { WireHealth, WireVersion } from './types.ts'

/** The version of this API, apart from the program's. */
const API_VERSION = 'v1'

export interface DaemonInfo {
  readonly version: string
  readonly runtime: { readonly name: string; readonly version: string }
  /** Looked up anew at each call. */
  describe(): Promise<WireDaemon>
}

export interface SystemDeps {
  readonly bottles: Pick<Bottles, 'check'>
  readonly containers: Containers
  readonly images: Images
  readonly store: Pick<Store, 'inspect'>
  readonly info: DaemonInfo
  readonly ctx: Ctx
}

export function systemRoutes({ containers, images, bottles, store, info, ctx: daemon }: SystemDeps): readonly Route[] {
  const { version, runtime } = info
  return [
    route('GET', '/v1/version', {}, () => {
      const data: WireVersion = { version, apiVersion: API_VERSION, node: process.version, runtime }
      return success(200, 'retrieve version success', data)
    }),

    route('GET', '/v1/health', {}, () => {
      const problems = containers.problems()
      const status = problems.length === 0 ? 'ok' : 'degraded'
      const data: WireHealth = { status, uptimeMs: Math.round(process.uptime() * 1000), problems }
      return success(200, status === 'ok' ? 'healthy' : 'degraded', data)
    }),

    route('GET', '/v1/system/info', {}, async () => {
      const known = images.list()
      const data: WireSystemInfo = {
        ...(await info.describe()),
        containers: countStates(containers.list()),
        images: { total: known.length, untagged: known.filter(({ spec }) => spec.untagged).length },
        networks: containers.networks().length,
      }
      return success(200, 'retrieve system info success', data)
    }),

    route('GET', '/v1/system/df', {}, async ({ ctx }) => {
      const data: WireDiskUsage = wireDiskUsage(
        await images.diskUsage(),
        await containers.usage(ctx),
        await containers.volumes.usage(ctx),
      )
      return success(200, 'retrieve disk usage success', data)
    }),

    // With repair it changes the machine, and is not cut off by a client that hangs up.
    route('POST', '/v1/system/check', { body: systemCheckBody }, async ({ ctx, body }) => {
      const options = { repair: body.repair ?? false }
      const caller = options.repair ? daemon : ctx
      const damage = (await store.inspect()).map((problem) => ({
        part: 'store' as const,
        subject: 'database',
        problem,
        advice: 'restart the daemon: it sets a damaged database aside and takes in what runs',
      }))
      const findings = [...(await settleFaults(damage, options.repair))]
      // What else there is cannot be told from records that cannot be read.
      if (damage.length === 0) {
        findings.push(...(await images.check(caller, options)), ...(await containers.check(caller, options)))
        findings.push(...(await bottles.check(options)))
      }
      const data: WireSystemCheck = { ok: findings.every(({ mended }) => mended), findings }
      return success(200, 'check completed', data)
    }),

    // Containers first: they hold the others.
    route('POST', '/v1/system/prune', { body: systemPruneBody }, async ({ body }) => {
      const filter = toPruneFilter(body)
      const parts = {
        containers: await containers.prune(daemon, filter),
        networks: await containers.pruneNetworks(daemon, filter),
        ...(body.volumes && { volumes: await containers.volumes.prune(daemon, filter) }),
        images: await images.prune(daemon, { ...filter, all: body.all ?? false }),
      }
      const reclaimedBytes = Object.values(parts).reduce((sum, part) => sum + part.reclaimedBytes, 0)
      const data: WireSystemPruned = { ...parts, reclaimedBytes }
      return success(200, 'prune completed', data)
    }),
  ]
}
