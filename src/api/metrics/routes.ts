import { createHash, timingSafeEqual } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Containers } from '../../containers/index.ts'
import type { Images } from '../../images/index.ts'
import { type ContainerState, containerState } from '../../model/container.ts'
import type { Store } from '../../store/index.ts'
import { stream } from '../http/reply.ts'
import { type Route, route } from '../http/route.ts'
import { containerMetrics } from './container-metrics.ts'
import { daemonMetrics } from './daemon-metrics.ts'
import { CONTENT_TYPE, exposition, type LabelSet, type Metric, single } from './exposition.ts'
import type { RequestDurations } from './request-metrics.ts'

export interface MetricsDeps {
  readonly containers: Containers
  readonly images: Images
  readonly store: Store
  readonly requests: RequestDurations
  readonly info: { readonly version: string; readonly runtime: { readonly name: string; readonly version: string } }
}

export function metricsRoute(deps: MetricsDeps): Route {
  return route('GET', '/metrics', {}, async () => {
    const [daemon, running] = await Promise.all([daemonMetrics(), deps.containers.stats()])
    const few = [buildInfo(deps), ...daemon, ...engineMetrics(deps)]
    return stream(CONTENT_TYPE, lines(few, containerMetrics(running)))
  })
}

/** The same for who brings this token: `Authorization: Bearer TOKEN`. */
export function requireToken(open: Route, token: () => Promise<string>): Route {
  return {
    ...open,
    async handle(request) {
      const [, given = ''] = /^Bearer (.*)$/i.exec(request.headers.authorization ?? '') ?? []
      if (given !== '' && isSame(given, await token())) return open.handle(request)
      const headers = { 'content-type': 'text/plain', 'www-authenticate': 'Bearer' }
      return { status: 401, headers, body: 'A bearer token is needed: the content of metrics.tokenFile\n' }
    },
  }
}

/** In a time that does not tell how much of it is right. */
function isSame(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHash('sha256').update(text).digest())
  return timingSafeEqual(left!, right!)
}

/** With room for others between one metric and the next. */
async function* lines(...groups: readonly Iterable<Metric>[]): AsyncGenerator<string> {
  for (const metrics of groups) {
    for (const metric of metrics) {
      const text = exposition(metric)
      if (text !== '') yield text
      if (text.length > 10_000) await nextTurn()
    }
  }
}

function buildInfo({ info: { version, runtime } }: MetricsDeps): Metric {
  const labels: LabelSet = { version, node: process.version, runtime: runtime.name, runtime_version: runtime.version }
  return { name: 'condenser_build_info', help: 'Versions, as labels.', type: 'gauge', series: [[labels, 1]] }
}

/** A state that is missing here does not compile. */
const STATES: Readonly<Record<ContainerState, true>> = {
  creating: true,
  created: true,
  running: true,
  paused: true,
  restarting: true,
  stopped: true,
  removing: true,
}

function engineMetrics({ containers, images, store, requests }: MetricsDeps): Metric[] {
  const { all, layers, revision } = store.read((tx) => ({
    all: tx.list('Container'),
    layers: tx.list('Layer'),
    revision: tx.revision(),
  }))
  const inState = Map.groupBy(all, ({ status }) => containerState(status))
  const { running, succeeded, failed } = images.pulls()
  return [
    {
      name: 'condenser_containers',
      help: 'Containers by state.',
      type: 'gauge',
      series: (Object.keys(STATES) as ContainerState[]).map((state) => [{ state }, inState.get(state)?.length ?? 0]),
    },
    single('gauge', 'condenser_images', 'Names of images.', images.list().length),
    single('gauge', 'condenser_image_layers', 'Unpacked layers.', layers.length),
    single(
      'gauge',
      'condenser_image_layer_bytes',
      'What unpacked layers take on disk.',
      layers.reduce((sum, { status }) => sum + (status.usedBytes ?? 0), 0),
    ),
    single('gauge', 'condenser_image_pulls_running', 'Pulls under way.', running),
    {
      name: 'condenser_image_pulls_total',
      help: 'Pulls that have ended, since the start of the daemon.',
      type: 'counter',
      series: [
        [{ result: 'success' }, succeeded],
        [{ result: 'failure' }, failed],
      ],
    },
    single('counter', 'condenser_store_revision_total', 'Changes of the store since it was made.', revision),
    {
      name: 'condenser_container_start_duration_seconds',
      help: 'Time that successful starts of containers took.',
      type: 'histogram',
      series: [[{}, containers.startDurations()]],
    },
    requests.metric(),
  ]
}
