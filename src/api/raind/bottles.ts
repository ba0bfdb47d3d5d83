import type { BottleStep, Bottles } from '../../bottles/index.ts'
import type { Containers } from '../../containers/index.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { StatusError } from '../../lib/errors.ts'
import type { Bottle } from '../../model/bottle.ts'
import { readText } from '../http/body.ts'
import { stream } from '../http/reply.ts'
import { type Route, type RouteRequest, route } from '../http/route.ts'
import { wireBottle, wireBottleSummary, wireRegisteredBottle } from './bottle-convert.ts'
import {
  type BottleActionBody,
  bottleActionBody,
  registerBottleQuery,
  upBottleQuery,
  type WireBottle,
  type WireBottleStep,
  type WireBottleSummary,
  type WireRegisteredBottle,
} from './bottle-types.ts'
import { success } from './envelope.ts'
import { jsonLines } from './json-lines.ts'
import { NDJSON } from './types.ts'

/** What a reader of Compose files takes. */
const MAX_TEXT_BYTES = 1024 * 1024

/** Raind's verbs on bottles, and `up`; by name or id. `daemon`: the context of what changes the machine. */
export function bottleRoutes(bottles: Bottles, containers: Containers, daemon: Ctx): readonly Route[] {
  return [
    route('GET', '/v1/bottle', {}, () => {
      const found: WireBottleSummary[] = bottles.list().map((bottle) => wireBottleSummary(bottle, bottles))
      return success(200, 'bottle list', { bottles: found })
    }),

    route('POST', '/v1/bottle', { query: registerBottleQuery }, async ({ query, stream: body }) => {
      const { manifest, warnings } = await bottles.read(await readText(body, MAX_TEXT_BYTES))
      const data: WireRegisteredBottle = wireRegisteredBottle(await bottles.register(daemon, manifest, query), warnings)
      return success(201, 'bottle registered', data)
    }),

    route('PUT', '/v1/bottle', { query: upBottleQuery }, async ({ id, ctx, query, stream: body }) => {
      const { timeout, ...flags } = query
      const { manifest, warnings } = await bottles.read(await readText(body, MAX_TEXT_BYTES))
      const options = { ...flags, ...(timeout !== undefined && { timeoutMs: timeout * 1000 }) }
      const steps = stepsOf((tell) => bottles.up(daemon, manifest, { ...options, tell }), warnings)
      return stream(
        NDJSON,
        jsonLines(ctx, id, steps, (step) => step),
      )
    }),

    route('GET', '/v1/bottle/:bottleId', {}, ({ params }) => {
      const data: WireBottle = wireBottle(bottles.find(params.bottleId), bottles, containers)
      return success(200, 'retrieve bottle success', { bottle: data })
    }),

    route('POST', '/v1/bottle/:bottleId/actions/:action', { body: bottleActionBody }, async ({ params, body }) => {
      await act(bottles, daemon, params, body)
      return success(200, 'bottle action done', { id: params.bottleId })
    }),
  ]
}

type ActionParams = RouteRequest<'bottleId' | 'action', BottleActionBody, undefined>['params']

async function act(bottles: Bottles, ctx: Ctx, { bottleId, action }: ActionParams, body: BottleActionBody) {
  const { services, timeout, volumes = false, replicas = {} } = body
  const limits = {
    ...(services !== undefined && { services }),
    ...(timeout !== undefined && { timeoutMs: timeout * 1000 }),
  }
  switch (action) {
    case 'start':
      return void (await bottles.start(ctx, bottleId, limits))
    case 'stop':
      return void (await bottles.stop(ctx, bottleId, limits))
    case 'restart':
      return void (await bottles.restart(ctx, bottleId, limits))
    case 'scale':
      return void (await bottles.scale(ctx, bottleId, replicas))
    case 'delete':
      return await bottles.remove(ctx, bottleId, { ...limits, volumes })
    default:
      throw new StatusError(
        'invalid_argument',
        `Unknown action "${action.slice(0, 100)}": it is one of start, stop, restart, scale, delete`,
      )
  }
}

/** What is done, as it is told. It goes on when nobody reads any more. */
async function* stepsOf(
  work: (tell: (step: BottleStep) => void) => Promise<Bottle>,
  warnings: readonly string[],
): AsyncGenerator<WireBottleStep> {
  const told: BottleStep[] = []
  let news = Promise.withResolvers<void>()
  let isDone = false
  const working = work((step) => {
    told.push(step)
    news.resolve()
  }).finally(() => {
    isDone = true
    news.resolve()
  })
  working.catch(() => {})
  for (;;) {
    for (const step of told.splice(0)) yield { type: 'step', ...step }
    if (isDone) break
    await news.promise
    news = Promise.withResolvers<void>()
  }
  yield { type: 'done', bottle: wireRegisteredBottle(await working, warnings) }
}
