import { availableParallelism, totalmem } from 'node:os'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ContainerStats, Containers } from '../../containers/index.ts'
import { StatusError } from '../../lib/errors.ts'
import { stream } from '../http/reply.ts'
import { type Route, route } from '../http/route.ts'
import { success, successParts } from './envelope.ts'
import { wireStats } from './stats-convert.ts'
import { allStatsQuery, statsQuery, type WireStats } from './stats-types.ts'
import { NDJSON } from './types.ts'

/** So many are a ms of work: lists are written in parts, with room for others in between. */
const PART = 25
const RETRIEVED = 'retrieve container stats success'

export function statsRoutes(containers: Containers): readonly Route[] {
  const host = { cpus: availableParallelism(), memoryBytes: totalmem() }
  const toWire = (stats: ContainerStats): WireStats => wireStats(stats, host)

  return [
    route('GET', '/v1/containers/stats', { query: allStatsQuery, waits: true }, async ({ ctx, query }) => {
      if (query.stream) return stream(NDJSON, listLines(containers.followStats(ctx, query.container), toWire))
      const look = await containers.stats(query.container)
      if (look.length > PART) return successParts(RETRIEVED, listParts(look, toWire))
      const data: WireStats[] = look.map(toWire)
      return success(200, RETRIEVED, data.length === 0 ? null : data)
    }),

    route('GET', '/v1/containers/:containerId/stats', { query: statsQuery, waits: true }, async (request) => {
      const { ctx, params, query } = request
      const { uid } = containers.find(params.containerId).metadata
      if (query.stream) return stream(NDJSON, lines(containers.followStats(ctx, [uid]), toWire))
      const [stats] = await containers.stats([uid])
      if (stats === undefined) throw new StatusError('not_found', `No such container: "${params.containerId}"`)
      const data: WireStats = toWire(stats)
      return success(200, RETRIEVED, data)
    }),
  ]
}

type ToWire = (stats: ContainerStats) => WireStats

/** A line for each look, with one container. */
async function* lines(looks: AsyncIterable<readonly ContainerStats[]>, toWire: ToWire): AsyncGenerator<string> {
  for await (const look of looks) yield look.map((stats) => `${JSON.stringify(toWire(stats))}\n`).join('')
}

/** A line for each look, with the list of all. */
async function* listLines(looks: AsyncIterable<readonly ContainerStats[]>, toWire: ToWire): AsyncGenerator<string> {
  for await (const look of looks) {
    yield* listParts(look, toWire)
    yield '\n'
  }
}

async function* listParts(look: readonly ContainerStats[], toWire: ToWire): AsyncGenerator<string> {
  for (let start = 0; start < look.length; start += PART) {
    const part = look.slice(start, start + PART).map((stats) => JSON.stringify(toWire(stats)))
    yield `${start === 0 ? '[' : ','}${part.join(',')}`
    await nextTurn()
  }
  yield look.length === 0 ? '[]' : ']'
}
