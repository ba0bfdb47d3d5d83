import type { Answer, ApiClient } from '../support/api-client.ts'
import type { Model } from './model.ts'
import type { Random } from './random.ts'

export interface World {
  readonly api: ApiClient
  readonly model: Model
  readonly images: readonly string[]
}

type Operation = (world: World, random: Random) => Promise<Answer>

const CONTAINERS = ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6']
const NETWORKS = ['tn0', 'tn1']
const VOLUMES = ['v0', 'v1', 'v2']
/** Whether it ends by itself. */
const COMMANDS: readonly (readonly [readonly string[], boolean])[] = [
  [['sleep', '100000'], true],
  [['sh', '-c', 'trap "" TERM; while :; do sleep 1; done'], true],
  [['sh', '-c', 'exit 3'], false],
  [['sh', '-c', 'sleep 0.3; echo done'], false],
  [['no-such-command'], false],
]

const create: Operation = async ({ api, model, images }, random) => {
  const name = random.pick(CONTAINERS)
  const [command, endless] = random.pick(COMMANDS)
  const network = random.pick(['', '', ...NETWORKS, 'host', 'none'])
  const answer = await api.post('/v1/containers', {
    image: random.pick(images),
    name,
    command,
    stopTimeout: 1,
    ...(network !== '' && { network }),
    ...(random.chance(0.4) &&
      !['host', 'none'].includes(network) && { port: [random.pick(['0:80', '18090:80', '18091:81/udp'])] }),
    ...(random.chance(0.4) && {
      mount: [`${random.pick(VOLUMES)}:/data`, ...(random.chance(0.3) ? ['/anonymous'] : [])],
    }),
    ...(random.chance(0.3) && { restart: random.pick(['always', 'unless-stopped', 'on-failure:3']) }),
    ...(random.chance(0.2) && { tty: true }),
  })
  if (answer.status === 200) model.created(answer.json.data.id, name, endless)
  return answer
}

const start: Operation = async ({ api, model }, random) => {
  const answer = await api.post(`/v1/containers/${random.pick(CONTAINERS)}/actions/start`, {})
  if (answer.status === 200) model.started(answer.json.data.id)
  return answer
}

/** What may end a container, or keep it from running for a moment. */
function ending(action: (random: Random) => string, method: 'post' | 'delete' = 'post'): Operation {
  return async ({ api, model }, random) => {
    const ref = random.pick(CONTAINERS)
    const over = model.ending(ref)
    return await api[method](`/v1/containers/${ref}/actions/${action(random)}`, undefined).finally(over)
  }
}

const remove: Operation = async ({ api, model }, random) => {
  const ref = random.pick(CONTAINERS)
  // The id, so that it is known which one is gone.
  const found = await api.get(`/v1/containers/${ref}`)
  if (found.status !== 200) return found
  const id = found.json.data.containerId
  model.removing(id)
  const over = model.ending(id)
  try {
    const query = random.chance(0.7) ? '?force=true' : random.chance(0.5) ? '?volumes=true' : ''
    const answer = await api.delete(`/v1/containers/${id}/actions/delete${query}`)
    if (answer.status === 200) model.removed(id)
    return answer
  } finally {
    over()
  }
}

const rename: Operation = async ({ api, model }, random) => {
  const [ref, name] = [random.pick(CONTAINERS), random.pick(CONTAINERS)]
  const over = model.renaming(ref, name)
  return await api.post(`/v1/containers/${ref}/actions/rename`, { name }).finally(over)
}

function unmake(kind: 'volumes' | 'networks', names: readonly string[], path: (name: string) => string): Operation {
  return async ({ api, model }, random) => {
    const name = random.pick(names)
    const over = model.unmaking(kind, name)
    return await api.delete(path(name)).finally(over)
  }
}

const OPERATIONS: Readonly<Record<string, { readonly share: number; readonly run: Operation }>> = {
  create: { share: 10, run: create },
  start: { share: 14, run: start },
  stop: { share: 5, run: ending(() => 'stop?timeout=1') },
  kill: { share: 3, run: ending(() => 'kill?signal=KILL') },
  restart: { share: 3, run: ending(() => 'restart?timeout=0') },
  pause: { share: 2, run: ending(() => 'pause') },
  unpause: { share: 3, run: ending(() => 'unpause') },
  remove: { share: 8, run: remove },
  rename: { share: 2, run: rename },
  update: {
    share: 2,
    run: ({ api }, random) =>
      api.post(`/v1/containers/${random.pick(CONTAINERS)}/actions/update`, { pids: 50 + random.int(50) }),
  },
  exec: {
    share: 5,
    run: ({ api }, random) =>
      api.post(`/v1/containers/${random.pick(CONTAINERS)}/actions/exec`, { command: ['echo', 'x'], wait: true }),
  },
  log: { share: 2, run: ({ api }, random) => api.get(`/v1/containers/${random.pick(CONTAINERS)}/log?tail_lines=5`) },
  list: { share: 3, run: ({ api }) => api.get('/v1/containers') },
  inspect: { share: 3, run: ({ api }, random) => api.get(`/v1/containers/${random.pick(CONTAINERS)}/inspect`) },
  connect: {
    share: 3,
    run: ({ api }, random) =>
      api.post(`/v1/networks/${random.pick(NETWORKS)}/actions/connect`, { container: random.pick(CONTAINERS) }),
  },
  disconnect: {
    share: 2,
    run: ({ api }, random) =>
      api.post(`/v1/networks/${random.pick(NETWORKS)}/actions/disconnect`, { container: random.pick(CONTAINERS) }),
  },
  'network create': {
    share: 3,
    async run({ api, model }, random) {
      const bridge = random.pick(NETWORKS)
      const answer = await api.post('/v1/networks', { bridge })
      if (answer.status === 200) model.made('networks', bridge)
      return answer
    },
  },
  'network remove': { share: 1, run: unmake('networks', NETWORKS, (name) => `/v1/networks/${name}/actions/delete`) },
  'volume create': {
    share: 2,
    async run({ api, model }, random) {
      const name = random.pick(VOLUMES)
      const answer = await api.post('/v1/volumes', { name })
      if (answer.status === 200) model.made('volumes', name)
      return answer
    },
  },
  'volume remove': { share: 1, run: unmake('volumes', VOLUMES, (name) => `/v1/volumes/${name}`) },
  pull: { share: 2, run: ({ api, images }, random) => api.post('/v1/images', { image: random.pick(images) }) },
  'image remove': { share: 1, run: ({ api, images }) => api.delete('/v1/images', { image: images.at(-1) }) },
  check: { share: 1, run: ({ api }) => api.post('/v1/system/check', {}) },
}

const DECK = Object.entries(OPERATIONS).flatMap(([name, { share }]) => Array<string>(share).fill(name))

/** Some operation, and what came of it; throws if the connection was lost. */
export async function anyOperation(world: World, random: Random): Promise<{ name: string; answer: Answer }> {
  const name = random.pick(DECK)
  return { name, answer: await OPERATIONS[name]!.run(world, random) }
}
