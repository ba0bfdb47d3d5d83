import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { answers } from './crash.ts'
import { type DaemonFixture, runContainer } from './daemon-fixture.ts'
import { resolve } from './dns-client.ts'

const WEB = 'witness-web'
const ECHO = 'witness-echo'
const ROUND_MS = 10
const ANSWER_MS = 10_000

/** Two containers that must not notice anything of what happens to the daemon, and who uses them all the time. */
export interface Witness extends AsyncDisposable {
  /** Since the last call, all went well, and went on. */
  assertUnharmed(): Promise<void>
}

interface WitnessOptions {
  /** On 127.0.0.1: a web server's, and an echo server's. */
  readonly ports: readonly [number, number]
}

/**
 * Starts a web server and an echo server with published ports, and until disposed of fetches pages over new
 * connections, talks over one connection that stays open, and looks the web server's name up.
 */
export async function startWitness(fixture: DaemonFixture, { ports }: WitnessOptions): Promise<Witness> {
  const [web, echo] = ports
  await runContainer(fixture, { name: WEB, command: ['httpd', '-f', '-p', '80', '-h', '/etc'], port: [`${web}:80`] })
  const loop = 'while :; do nc -l -p 7 -e cat; done'
  await runContainer(fixture, { name: ECHO, command: ['sh', '-c', loop], port: [`${echo}:7`] })
  const pidOf = async (name: string) => (await fixture.daemon.api.get(`/v1/containers/${name}`)).json.data
  const before = { web: await pidOf(WEB), echo: await pidOf(ECHO) }
  const gateway = fixture.home.subnet.replace('.0.0/16', '.0.254')
  const url = `http://127.0.0.1:${web}/passwd`
  await answers(url)
  const line = await connectTo(echo)
  const failures: string[] = []
  const rounds = { page: 0, echo: 0, name: 0 }
  let ended = false
  const repeat = async (what: keyof typeof rounds, once: () => Promise<void>) => {
    for (; !ended; await sleep(ROUND_MS)) {
      await once().then(
        () => rounds[what]++,
        (error) => failures.push(`${new Date().toISOString()} ${what}: ${error.message}`),
      )
    }
  }
  const running = Promise.all([
    repeat('page', () => fetchPage(url)),
    repeat('echo', () => talk(line)),
    repeat('name', async () => {
      assert.equal(await resolve(undefined, gateway, WEB, { timeoutMs: ANSWER_MS }), before.web.address)
    }),
  ])
  return {
    async assertUnharmed() {
      const { page, echo, name } = rounds
      const goOn = () => rounds.page > page && rounds.echo > echo && rounds.name > name
      for (let tries = 0; failures.length === 0 && !goOn(); tries++) {
        assert.ok(tries < 6000, 'those who use the containers wait for something')
        await sleep(ROUND_MS)
      }
      assert.deepEqual(failures.splice(0), [])
      const now = { web: await pidOf(WEB), echo: await pidOf(ECHO) }
      for (const container of ['web', 'echo'] as const) {
        const { pid, state, restartCount } = now[container]
        const { pid: was, restartCount: count } = before[container]
        assert.deepEqual({ pid, state, restartCount }, { pid: was, state: 'running', restartCount: count })
      }
    },
    async [Symbol.asyncDispose]() {
      ended = true
      await running
      line.destroy()
    },
  }
}

async function connectTo(port: number): Promise<Socket> {
  for (let tries = 0; ; tries++) {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      await talk(socket)
      return socket
    } catch (error) {
      socket.destroy()
      if (tries === 300) throw error
      await sleep(100)
    }
  }
}

/** As a client without keep-alive: each page takes a connection of its own. */
async function fetchPage(url: string): Promise<void> {
  const request = get(url, { agent: false, timeout: ANSWER_MS })
  request.once('timeout', () => request.destroy(new Error('no answer')))
  const [response] = await once(request, 'response')
  response.resume()
  await once(response, 'end')
  assert.equal(response.statusCode, 200)
}

async function talk(socket: Socket): Promise<void> {
  socket.write('x')
  const [bytes] = await once(socket, 'data', { signal: AbortSignal.timeout(ANSWER_MS) })
  assert.equal(String(bytes), 'x')
}
