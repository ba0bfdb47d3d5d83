import assert from 'node:assert/strict'
import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { dirname, join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { FRAME, FrameReader } from '../../src/lib/frames.ts'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { eventually, inTime } from '../support/eventually.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const FRAMES = 'application/vnd.raind.stream'
const ROTATIONS = 4

let fixture: DaemonFixture
const api = () => fixture.daemon.api

before(async () => {
  fixture = await daemonFixture()
  await appendFile(fixture.home.config, 'containerLogs: { maxSize: 64k, maxFiles: 100 }\n')
  await fixture.restart()
})
afterEach(() => fixture.clear())
after(() => fixture[Symbol.asyncDispose]())

interface Follower extends Disposable {
  readonly answer: IncomingMessage
  text(): string
  /** Resolves when what came matches. */
  until(pattern: RegExp): Promise<void>
  /** Resolves with all that came, when it has ended. */
  readonly all: Promise<Buffer>
}

async function follow(id: string, query = '', accept?: string): Promise<Follower> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const outgoing = request(
    {
      socketPath: join(fixture.home.run, 'condenser.sock'),
      path: `/v1/containers/${id}/log?follow=true${query}`,
      headers: accept === undefined ? {} : { accept },
      agent: false,
    },
    resolve,
  )
  outgoing.on('error', reject).end()
  const answer = await promise
  const chunks: Buffer[] = []
  let changed = () => {}
  answer.on('data', (chunk) => {
    chunks.push(chunk)
    changed()
  })
  const { promise: all, resolve: setAll } = Promise.withResolvers<Buffer>()
  answer.once('close', () => {
    setAll(Buffer.concat(chunks))
    changed()
  })
  answer.on('error', () => {})
  const text = () => Buffer.concat(chunks).toString()
  const match = async (pattern: RegExp) => {
    while (!pattern.test(text())) {
      if (answer.closed) throw new Error(`${pattern} did not come: ${text()}`)
      const { promise, resolve } = Promise.withResolvers<void>()
      changed = resolve
      await promise
    }
  }
  return {
    answer,
    text,
    until: (pattern) => inTime(match(pattern), text),
    get all() {
      return inTime(all, text)
    },
    [Symbol.dispose]: () => void outgoing.destroy(),
  }
}

function unframed(bytes: Buffer): { stdout: string; stderr: string } {
  const parts = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] }
  for (const { type, payload } of new FrameReader(FRAME.stdout).push(bytes)) {
    parts[type === FRAME.stdout ? 'stdout' : 'stderr'].push(payload)
  }
  return { stdout: Buffer.concat(parts.stdout).toString(), stderr: Buffer.concat(parts.stderr).toString() }
}

/** Writes numbers until it is told that they are enough, and then how many. */
const BUSY = 'n=0; until [ -e /enough ]; do seq $((n+1)) $((n+300)); n=$((n+300)); sleep 0.02; done; echo $n numbers'

function assertNumbers(text: string): void {
  const lines = text.split('\n').slice(0, -1)
  assert.equal(lines.pop(), `${lines.length} numbers`)
  const wrong = lines.findIndex((line, i) => line !== String(i + 1))
  assert.equal(wrong, -1, `line ${wrong + 1} is ${lines[wrong]}`)
}

describe('a followed log', () => {
  test('over rotations: no line is lost, and none comes twice, to whoever comes when, and reads how', async () => {
    const id = await runContainer(fixture, { command: ['sh', '-c', BUSY] })
    const directory = dirname((await api().get(`/v1/containers/${id}/logpath`)).json.data)
    using plain = await follow(id)
    using framed = await follow(id, '', FRAMES)
    using slow = await follow(id)
    slow.answer.pause()
    const early = [plain, framed, slow]
    const files = async () => (await readdir(directory)).length
    await eventually(files, (count) => count >= ROTATIONS)
    using late = await follow(id)
    await eventually(files, (count) => count >= 2 * ROTATIONS)
    await api().post(`/v1/containers/${id}/actions/exec`, { command: ['touch', '/enough'], wait: true })
    await api().post(`/v1/containers/${id}/actions/wait`)
    slow.answer.resume()
    for (const one of [...early, late]) {
      const bytes = await one.all
      assertNumbers(one === framed ? unframed(bytes).stdout : bytes.toString())
    }
    assert.equal(unframed(await framed.all).stderr, '')
  })

  test('a part of a line comes at once; the end of the container is the end; after the next start it goes on', async () => {
    const command = ['sh', '-c', 'printf "a pa"; until [ -e /go ]; do sleep 0.02; done; echo rt; rm /go']
    const id = await runContainer(fixture, { command })
    const go = () => api().post(`/v1/containers/${id}/actions/exec`, { command: ['touch', '/go'], wait: true })
    using first = await follow(id)
    await go()
    assert.equal((await first.all).toString(), 'a part\n')
    await api().post(`/v1/containers/${id}/actions/wait`)
    using between = await follow(id)
    assert.equal((await between.all).toString(), 'a part\n')
    await api().post(`/v1/containers/${id}/actions/start`, {})
    using second = await follow(id)
    await second.until(/^a part\n/)
    await go()
    assert.equal((await second.all).toString(), 'a part\na part\n')
  })

  test('a terminal writes parts of lines; they are there before the line ends', async () => {
    const command = ['sh', '-c', 'printf "name? "; until [ -e /go ]; do sleep 0.02; done; echo bob']
    const id = await runContainer(fixture, { command, tty: true })
    using prompt = await follow(id)
    await prompt.until(/name\? $/)
    await api().post(`/v1/containers/${id}/actions/exec`, { command: ['touch', '/go'], wait: true })
    assert.match((await prompt.all).toString(), /^name\? bob\r?\n$/)
  })

  test('times, streams and the tail together', async () => {
    const script = 'for i in 1 2 3 4; do until [ -e /go$i ]; do sleep 0.02; done; echo out $i; echo err $i >&2; done'
    const id = await runContainer(fixture, { command: ['sh', '-c', script] })
    const { pid } = (await api().get(`/v1/containers/${id}`)).json.data
    using follower = await follow(id, '&timestamps=true')
    for (const i of [1, 2, 3, 4]) {
      await writeFile(`/proc/${pid}/root/go${i}`, '')
      for (const stream of ['out', 'err']) await follower.until(new RegExp(`${stream} ${i}\n`))
      // Times are told apart by ms.
      await sleep(10)
    }
    const stamped = (await follower.all).toString().split('\n').slice(0, -1)
    assert.equal(stamped.length, 8)
    const times = new Map(stamped.map((line) => [line.slice(line.indexOf(' ') + 1), line.split(' ')[0]!]))
    for (const [line, time] of times) assert.match(time, /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d+(Z|[+-]\d\d:\d\d)$/, line)
    // Half way between two, as an API may be asked: seconds since 1970, or RFC 3339.
    const middle = (a: string, b: string) => (Date.parse(times.get(a)!) + Date.parse(times.get(b)!)) / 2
    const [since, until] = [middle('out 1', 'out 2'), middle('out 3', 'out 4')]
    const get = async (query: string) => (await (await follow(id, query)).all).toString()
    const sorted = (text: string) => text.split('\n').filter(Boolean).sort().join(', ')
    assert.equal(sorted(await get(`&since=${since / 1000}`)), 'err 2, err 3, err 4, out 2, out 3, out 4')
    assert.equal(await get(`&since=${new Date(since).toISOString()}&stderr=false`), 'out 2\nout 3\nout 4\n')
    assert.equal(await get(`&since=${since / 1000}&until=${until / 1000}&stdout=false`), 'err 2\nerr 3\n')
    assert.equal(await get(`&until=${until / 1000}&tail_lines=4&stderr=false`), 'out 3\n')
    assert.equal(await get('&tail_lines=0'), '')
    assert.equal(await get('&stdout=false&stderr=false'), '')
    const framed = unframed(await (await follow(id, '&tail_lines=2&timestamps=true', FRAMES)).all)
    assert.equal(framed.stdout, `${times.get('out 4')} out 4\n`)
    assert.equal(framed.stderr, `${times.get('err 4')} err 4\n`)
  })

  test('the tail counts lines, also where one stream’s long line lies around the other’s', async () => {
    // conmon writes a record for each line that has ended, and for each 8 KiB or so of one that has not.
    const long = "head -c 20000 /dev/zero | tr '\\0' x"
    const command = ['sh', '-c', `${long}; sleep 0.3; echo between >&2; sleep 0.3; ${long}; echo`]
    const id = await runContainer(fixture, { command })
    await api().post(`/v1/containers/${id}/actions/wait`)
    const last = await (await follow(id, '&tail_lines=1')).all
    assert.equal(last.toString(), `${'x'.repeat(40_000)}\n`)
    const both = unframed(await (await follow(id, '&tail_lines=2', FRAMES)).all)
    assert.deepEqual([both.stdout.length, both.stderr], [40_001, 'between\n'])
  })

  test('until: it ends then, though the container goes on', async () => {
    const script = 'echo early; until [ -e /go ]; do sleep 0.02; done; echo late; sleep 1000'
    const id = await runContainer(fixture, { command: ['sh', '-c', script] })
    using all = await follow(id)
    await all.until(/early\n/)
    const until = `&until=${Date.now() / 1000 + 1}`
    using follower = await follow(id, until)
    assert.equal((await follower.all).toString(), 'early\n')
    const { state, pid } = (await api().get(`/v1/containers/${id}`)).json.data
    assert.equal(state, 'running')
    await writeFile(`/proc/${pid}/root/go`, '')
    await all.until(/late\n/)
    assert.equal((await (await follow(id, until)).all).toString(), 'early\n')
  })

  test('of a container that was never started there is nothing, and no wait', async () => {
    const { id } = (await api().post('/v1/containers', { image: fixture.image })).json.data
    using follower = await follow(id)
    assert.deepEqual([follower.answer.statusCode, (await follower.all).toString()], [200, ''])
  })

  test('who is removed while he is followed ends', async () => {
    const id = await runContainer(fixture, { command: ['sh', '-c', 'echo here; exec sleep 1000'] })
    using follower = await follow(id)
    await follower.until(/here/)
    await api().delete(`/v1/containers/${id}/actions/delete?force=true`)
    assert.equal((await follower.all).toString(), 'here\n')
  })

  test('a client that vanishes leaves no descriptor and no watch', async () => {
    const id = await runContainer(fixture, { command: ['sh', '-c', 'while echo line; do sleep 0.01; done'] })
    const process = `/proc/${fixture.daemon.pid}`
    const watches = async () => {
      const infos = await Promise.all(
        (await readdir(`${process}/fdinfo`)).map((fd) => readFile(`${process}/fdinfo/${fd}`, 'utf8').catch(() => '')),
      )
      return infos.join('').match(/^inotify wd/gm)?.length ?? 0
    }
    const descriptors = async () => (await readdir(`${process}/fd`)).length
    const vanish = async (byte: boolean) => {
      const follower = await follow(id)
      if (byte) await follower.until(/line/)
      follower[Symbol.dispose]()
    }
    await vanish(true)
    await sleep(300)
    const before = { descriptors: await descriptors(), watches: await watches() }
    await Promise.all(Array.from({ length: 40 }, (_, i) => vanish(i % 2 === 0)))
    // The log of a container that writes is opened for a moment now and then.
    await eventually(descriptors, (count) => count <= before.descriptors)
    // The rotation's own watch comes and goes; all followers of one directory share theirs in the kernel.
    assert.ok((await watches()) <= before.watches + 1)
  })

  test('a time that is none is refused', async () => {
    const id = await runContainer(fixture, { command: ['sleep', '1000'] })
    for (const time of ['yesterday', '1.2.3', '2026-13-45T00:00:00Z', '', '-5', '1e400', '9'.repeat(400)]) {
      for (const name of ['since', 'until']) {
        const answer = await api().get(`/v1/containers/${id}/log?${name}=${encodeURIComponent(time)}`)
        assert.equal(answer.status, 400, `${name}=${time}: ${answer.text}`)
        assert.match(answer.json.message, /\S/)
      }
    }
    assert.equal((await api().get(`/v1/containers/${id}/log?follow=perhaps`)).status, 400)
    assert.equal((await api().get('/v1/containers/nobody/log?follow=true')).status, 404)
  })
})
