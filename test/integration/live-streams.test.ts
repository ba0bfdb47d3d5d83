import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { frame, INPUT } from '../../src/lib/frames.ts'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { type WsClient, wsClient } from '../support/ws-client.ts'

runInOwnNamespaces(import.meta.filename)

const md5 = (text: string) => createHash('md5').update(text).digest('hex')
const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i + 1}\n`).join('')

for (const runtime of ['crun', 'runc'] as const)
  describe(`live streams with ${runtime}`, () => {
    let fixture: DaemonFixture
    const api = () => fixture.daemon.api
    const ws = (path: string) => wsClient(join(fixture.home.run, 'condenser.sock'), path)

    async function exec(container: string, body: object): Promise<{ client: WsClient; execId: string }> {
      const created = await api().post(`/v1/containers/${container}/exec`, body)
      assert.equal(created.status, 201, created.text)
      const { execId } = created.json.data
      return { client: await ws(`/v1/execs/${execId}/streams`), execId }
    }

    before(async () => {
      fixture = await daemonFixture({ runtime })
    })
    afterEach(() => fixture.clear())
    after(() => fixture[Symbol.asyncDispose]())

    describe('attach', () => {
      test('before the start: nothing is missed, and the exit code comes last', async () => {
        const script = 'echo out; echo err >&2; exit 5'
        const created = await api().post('/v1/containers', { image: fixture.image, command: ['sh', '-c', script] })
        const { id } = created.json.data
        using client = await ws(`/v1/containers/${id}/streams?wait=true`)
        assert.equal((await api().post(`/v1/containers/${id}/actions/start`, {})).status, 200)
        assert.deepEqual(await client.closed, { code: 1000, reason: 'the process has ended' })
        assert.deepEqual([client.stdout(), client.stderr(), client.exitCode()], ['out\n', 'err\n', 5])
      })

      test('an input that is once: the end of the first client’s is the end of the container’s', async () => {
        const body = { image: fixture.image, command: ['md5sum'], openStdin: true, stdinOnce: true }
        const { id } = (await api().post('/v1/containers', body)).json.data
        using client = await ws(`/v1/containers/${id}/streams?wait=true&stdin=true`)
        await api().post(`/v1/containers/${id}/actions/start`, {})
        for (let i = 0; i < 300; i++) client.type('x'.repeat(1000))
        client.endInput()
        await client.closed
        assert.equal(client.stdout(), `${md5('x'.repeat(300_000))}  -\n`)
        assert.equal(client.exitCode(), 0)
      })

      test('an input that stays open outlives its clients; all clients get all', async () => {
        const id = await runContainer(fixture, { command: ['cat'], openStdin: true })
        const path = `/v1/containers/${id}/streams?stdin=true`
        using watcher = await ws(`/v1/containers/${id}/streams`)
        {
          using first = await ws(path)
          first.type('one\n')
          first.endInput()
          await first.until(/one\n/)
        }
        using second = await ws(path)
        second.type('two\n')
        await second.until(/two\n/)
        await watcher.until(/one\ntwo\n/)
        assert.equal(second.stdout(), 'two\n')
      })

      test('with logs: all from the beginning, then on', async () => {
        const id = await runContainer(fixture, {
          command: ['sh', '-c', 'seq 3000; read x; seq 10; printf end'],
          openStdin: true,
        })
        using early = await ws(`/v1/containers/${id}/streams?logs=true&stdin=true`)
        await early.until(/3000\n/)
        early.type('\n')
        await early.closed
        assert.equal(early.stdout(), `${numbers(3000)}${numbers(10)}end`)
        assert.equal(early.exitCode(), 0)
      })

      test('one stream of a few', async () => {
        const id = await runContainer(fixture, {
          command: ['sh', '-c', 'while read x; do echo out; echo err >&2; done'],
          openStdin: true,
        })
        using errors = await ws(`/v1/containers/${id}/streams?stdout=false&logs=true`)
        using client = await ws(`/v1/containers/${id}/streams?stdin=true&stderr=false`)
        client.type('\n')
        await client.until(/out/)
        await errors.until(/err/)
        assert.deepEqual(
          [client.stdout(), client.stderr(), errors.stdout(), errors.stderr()],
          ['out\n', '', '', 'err\n'],
        )
      })

      test('who stops reading is dropped with the reason, and the container goes on', async () => {
        const id = await runContainer(fixture, {
          command: ['sh', '-c', 'yes 0123456789012345678901234567890123456789'],
        })
        using client = await ws(`/v1/containers/${id}/streams`)
        client.socket.pause()
        using reader = await ws(`/v1/containers/${id}/streams`)
        let got = 0
        reader.socket.on('message', (bytes: Buffer) => {
          got += bytes.length
        })
        // The container stands still until the other one is dropped; then this one gets more than both queues hold.
        await eventually(
          () => got,
          (bytes) => bytes >= 64 * 1024 * 1024,
        )
        client.socket.resume()
        const { code, reason } = await client.closed
        assert.equal(code, 1013)
        assert.match(reason, /Detached: 4 MiB of output waited/)
        assert.equal((await api().get(`/v1/containers/${id}`)).json.data.state, 'running')
      })

      test('a terminal: one stream, its size, by frame and by request', async () => {
        const id = await runContainer(fixture, { command: ['sh'], tty: true })
        using client = await ws(`/v1/containers/${id}/streams?stdin=true&tty=true`)
        client.resize(33, 77)
        client.type('stty size; echo to-stderr >&2\n')
        await client.until(/33 77\r\nto-stderr\r\n/)
        assert.equal(client.stderr(), '')
        for (const [rows, columns] of [
          [20, 30],
          [21, 31],
          [22, 32],
          [50, 120],
        ]) {
          await api().post(`/v1/containers/${id}/actions/resize`, { rows, columns })
        }
        client.type('stty size\n')
        await client.until(/50 120/)
        client.type('exit 4\n')
        await client.closed
        assert.equal(client.exitCode(), 4)
      })

      test('what cannot be is said', async () => {
        const { id } = (await api().post('/v1/containers', { image: fixture.image })).json.data
        const refused = async (path: string) =>
          await ws(path).then(
            () => assert.fail('it was accepted'),
            (error) => error,
          )
        const stopped = await refused(`/v1/containers/${id}/streams`)
        assert.equal(stopped.status, 409)
        assert.match(JSON.parse(stopped.text).message, /Cannot attach to container/)
        assert.equal((await refused('/v1/containers/nope/streams')).status, 404)
        assert.equal((await refused(`/v1/containers/${id}/streams?tty=true&wait=true`)).status, 409)
        assert.equal((await refused(`/v1/containers/${id}/streams?nonsense=1`)).status, 400)
        assert.equal((await refused('/v1/nothing')).status, 404)
        assert.equal((await api().get(`/v1/containers/${id}/streams`)).status, 426)
        const running = await runContainer(fixture, { command: ['sleep', '100'] })
        for (const [rows, columns] of [
          [0, 0],
          [65_536, 1],
          [-1, 5],
        ]) {
          const answer = await api().post(`/v1/containers/${running}/actions/resize`, { rows, columns })
          assert.equal(answer.status, 400)
        }
        assert.equal(
          (await api().post(`/v1/containers/${running}/actions/resize`, { rows: 5, columns: 5 })).status,
          409,
        )
      })
    })

    describe('exec', () => {
      let id: string
      const start = async () => {
        id = await runContainer(fixture, { command: ['sleep', '1000'] })
      }

      test('both outputs, the exit code, and an input that ends', async () => {
        await start()
        const script = 'md5sum; echo bad >&2; exit 9'
        const { client, execId } = await exec(id, { command: ['sh', '-c', script], stdin: true })
        for (let i = 0; i < 300; i++) client.type('y'.repeat(10_000))
        client.endInput()
        assert.deepEqual(await client.closed, { code: 1000, reason: 'the process has ended' })
        assert.deepEqual(
          [client.stdout(), client.stderr(), client.exitCode()],
          [`${md5('y'.repeat(3_000_000))}  -\n`, 'bad\n', 9],
        )
        assert.equal((await api().get(`/v1/execs/${execId}`)).json.data.exitCode, 9)
      })

      test('a reader who takes his time gets all of it', async () => {
        await start()
        const { client } = await exec(id, { command: ['seq', '1000000'] })
        client.socket.pause()
        await sleep(6000)
        client.socket.resume()
        await client.closed
        assert.equal(md5(client.stdout()), md5(numbers(1_000_000)))
        assert.equal(client.exitCode(), 0)
      })

      test('a terminal: its size, what is typed, the last bytes, the exit code', async () => {
        await start()
        const body = { command: ['sh'], tty: true, size: { rows: 33, columns: 77 } }
        const { client, execId } = await exec(id, body)
        client.type('tty; stty size\n')
        await client.until(/\/dev\/pts\/\d+\r\n33 77/)
        const untilSized = async (size: string) => {
          client.type(`until stty size | grep -q '^${size}$'; do sleep 0.05; done; stty size\n`)
          await client.until(new RegExp(`\n${size}\r\n`))
        }
        client.resize(44, 88)
        await untilSized('44 88')
        await api().post(`/v1/execs/${execId}/resize`, { rows: 45, columns: 89 })
        await untilSized('45 89')
        client.type("sh -c 'echo it sleeps; exec sleep 1000'\n")
        await client.until(/\nit sleeps/)
        client.type('\x03')
        client.type('echo code $?; seq 5000; exit 6\n')
        await client.closed
        assert.match(client.stdout(), /code 130\r\n1\r\n2\r\n[\d\r\n]*\r\n5000\r\n$/)
        assert.equal(client.exitCode(), 6)
      })

      test('begun with its creation: one client gets all that it wrote, also of what cannot run', async () => {
        await start()
        for (const tty of [false, true]) {
          const script = 'touch /begun; echo early; read line; echo got $line; exit 4'
          const body = { command: ['sh', '-c', script], tty, stdin: true, start: true }
          const { execId } = (await api().post(`/v1/containers/${id}/exec`, body)).json.data
          const hasBegun = async () => {
            const answer = await api().post(`/v1/containers/${id}/actions/exec`, {
              command: ['rm', '/begun'],
              wait: true,
            })
            return answer.json.data.exitCode === 0
          }
          await eventually(hasBegun)
          const client = await ws(`/v1/execs/${execId}/streams`)
          await assert.rejects(ws(`/v1/execs/${execId}/streams`), /409/)
          client.type('it\n')
          await client.closed
          assert.match(client.stdout(), /^early\r?\n(it\r\n)?got it\r?\n$/)
          assert.equal(client.exitCode(), 4)
          const { client: other } = await exec(id, { command: ['/nowhere/x'], tty, start: true })
          await other.closed
          assert.equal(other.exitCode(), 127)
        }
        const body = { command: ['id'], user: 'nobody-there', start: true }
        const refused = await api().post(`/v1/containers/${id}/exec`, body)
        assert.equal(refused.status, 400)
        assert.match(refused.json.message, /nobody-there/)
      })

      test('many at a time, with a terminal and without', async () => {
        await start()
        const runs = Array.from({ length: 16 }, async (_, number) => {
          const tty = number % 2 === 0
          const { client } = await exec(id, { command: ['sh', '-c', `seq 2000; exit ${number}`], tty })
          await client.closed
          assert.equal(client.stdout().replaceAll('\r', ''), numbers(2000))
          assert.equal(client.exitCode(), number)
        })
        await Promise.all(runs)
      })

      test('a command that is not there says so, with a terminal too', async () => {
        await start()
        for (const tty of [false, true]) {
          const { client } = await exec(id, { command: ['/nowhere/x'], tty })
          await client.closed
          assert.match(client.stdout() + client.stderr(), /nowhere/)
          assert.equal(client.exitCode(), 127)
        }
      })

      test('signals', async () => {
        await start()
        const script = 'trap "echo got; exit 3" USR1; echo ready; while :; do sleep 0.05; done'
        const { client, execId } = await exec(id, { command: ['sh', '-c', script] })
        await client.until(/ready/)
        assert.equal((await api().post(`/v1/execs/${execId}/kill`, { signal: 'NOSUCH' })).status, 400)
        assert.equal((await api().post(`/v1/execs/${execId}/kill`, { signal: 'USR1' })).status, 200)
        await client.closed
        assert.deepEqual([client.stdout(), client.exitCode()], ['ready\ngot\n', 3])
        assert.equal((await api().post(`/v1/execs/${execId}/kill`, {})).status, 409)
      })

      test('what runs in the background is not waited for without end', async () => {
        await start()
        const { client } = await exec(id, { command: ['sh', '-c', 'sleep 500 & echo done'] })
        await client.closed
        assert.deepEqual([client.stdout(), client.exitCode()], ['done\n', 0])
      })

      test('a frame that no client may send ends the connection, and the process gets its end of file', async () => {
        await start()
        const { client, execId } = await exec(id, { command: ['cat'], stdin: true })
        client.socket.send(Buffer.from([INPUT.data, 0x80, 0, 0, 0]))
        const { code, reason } = await client.closed
        assert.equal(code, 1008)
        assert.match(reason, /2147483648 bytes/)
        await eventually(
          () => api().get(`/v1/execs/${execId}`),
          ({ json }) => json.data.exitCode !== null,
        )
        const paused = await api().post(`/v1/containers/${id}/actions/pause`)
        assert.equal(paused.status, 200, paused.text)
        const refused = await api().post(`/v1/containers/${id}/exec`, { command: ['true'] })
        assert.equal(refused.status, 409)
        assert.match(refused.json.message, /unpause it first/)
      })

      test('a client that vanishes at any byte leaves nothing', async () => {
        await start()
        const descriptors = () => readdirSync(`/proc/${fixture.daemon.pid}/fd`).length
        const bytesOf = (execId: string) =>
          Buffer.concat([
            Buffer.from(
              `GET /v1/execs/${execId}/streams HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
                'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
            ),
            masked(frame(INPUT.resize, Buffer.from([0, 5, 0, 5]))),
            masked(frame(INPUT.data, Buffer.from('hello\n'))),
          ])
        const vanish = async (step: number) => {
          const created = await api().post(`/v1/containers/${id}/exec`, { command: ['cat'], stdin: true })
          const bytes = bytesOf(created.json.data.execId)
          const socket = connect(join(fixture.home.run, 'condenser.sock'))
          socket.on('error', () => {})
          await new Promise<void>((resolve) => socket.write(bytes.subarray(0, step), () => resolve()))
          if (step >= bytes.length - 30) await sleep(30)
          socket.destroy()
        }
        const cats = async () => {
          const body = { command: ['pidof', 'cat'], wait: true }
          return (await api().post(`/v1/containers/${id}/actions/exec`, body)).json.data.stdout
        }
        const allGone = () => eventually(cats, (pids) => pids === '')
        await vanish(10_000)
        await allGone()
        await sleep(300)
        const before = descriptors()
        const { length } = bytesOf('0'.repeat(64))
        for (let step = 1; step <= length; step += step < 200 ? 29 : 3) await vanish(step)
        await eventually(descriptors, (count) => count <= before)
        await allGone()
      })
    })

    test('a daemon that is killed: execs get the end of their input, or a hang-up; the container lives on', async () => {
      const id = await runContainer(fixture, { command: ['sleep', '1000'], tty: true })
      const { client: piped, execId } = await exec(id, { command: ['sh', '-c', 'echo here; cat; true'], stdin: true })
      const { client: typed } = await exec(id, { command: ['sh', '-c', 'echo there; sleep 1000'], tty: true })
      await Promise.all([piped.until(/here/), typed.until(/there/)])
      const { pid } = (await api().get(`/v1/containers/${id}`)).json.data
      await fixture.daemon.kill()
      await Promise.all([piped.closed, typed.closed])
      await fixture.restart({ runtime })
      assert.equal((await api().get(`/v1/containers/${id}`)).json.data.pid, pid)
      assert.equal((await api().get(`/v1/execs/${execId}`)).status, 404)
      const alone = async () => {
        const answer = await api().post(`/v1/containers/${id}/actions/exec`, {
          command: ['ps', '-o', 'args'],
          wait: true,
        })
        return answer.json.data.stdout as string
      }
      for (let tries = 0; tries < 600 && /here|there/.test(await alone()); tries++) await sleep(50)
      assert.doesNotMatch(await alone(), /here|there/)
      using again = await ws(`/v1/containers/${id}/streams`)
      await api().post(`/v1/containers/${id}/actions/kill`, {})
      await again.closed
      assert.equal(again.exitCode(), 137)
    })

    test('a daemon that stops says so to who is attached', async () => {
      const id = await runContainer(fixture, { command: ['sleep', '1000'] })
      using client = await ws(`/v1/containers/${id}/streams`)
      await fixture.daemon.stop()
      const { code, reason } = await client.closed
      assert.equal(code, 1012)
      assert.match(reason, /daemon is stopping/)
      await fixture.restart({ runtime })
    })
  })

/** A WebSocket message as a client sends it (RFC 6455, section 5.2), with a mask that changes nothing. */
function masked(payload: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from([0x82, 0x80 | payload.length, 0, 0, 0, 0]), payload])
}
