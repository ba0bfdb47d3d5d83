import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, type RequestOptions, request } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { silentLogger } from '../../src/lib/log.ts'
import { openStore } from '../../src/store/index.ts'
import { countShrinks } from '../fixtures/count-shrinks.ts'
import { readTrace, SLOW_SYNCS, strace, type TracedCall } from '../fixtures/strace.ts'
import { temporaryDirectory } from '../fixtures/temporary-store.ts'
import { eventually } from '../support/eventually.ts'

const SERVER = join(import.meta.dirname, '../fixtures/slow-disk-server.ts')

interface TracedServer {
  readonly pid: number
  /** How often the log was seen to be emptied. */
  checkpoints(): number
  call(method: 'GET' | 'POST', path: string): Promise<void>
  /** Kills it, and returns what it did. */
  end(): Promise<TracedCall[]>
}

/** The server of the fixture under strace, on a database that is there already, so that its start writes nothing. */
async function startServer(t: TestContext, calls: string, inject?: string): Promise<TracedServer> {
  const directory = temporaryDirectory(t)
  const file = join(directory, 'test.db')
  await openStore({ file, log: silentLogger })[Symbol.asyncDispose]()
  const [trace, socketPath] = [join(directory, 'trace'), join(directory, 'socket')]
  const [program, ...options] = strace({ file: trace, calls, ...(inject !== undefined && { inject }) })
  const child = spawn(program!, [...options, process.execPath, SERVER, file, socketPath], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const pid = Number(line)
  t.after(() => kill(pid, child))
  const agent = new Agent({ keepAlive: true })
  return {
    pid,
    checkpoints: countShrinks(`${file}-wal`),
    call: (method, path) => call({ method, path, socketPath, agent }),
    end: async () => {
      agent.destroy()
      kill(pid, child)
      await exited
      return readTrace(readFileSync(trace, 'utf8'))
    },
  }
}

function kill(pid: number, child: ChildProcess): void {
  if (child.exitCode === null && child.signalCode === null) process.kill(pid, 'SIGKILL')
}

async function call(options: RequestOptions): Promise<void> {
  const sent = request(options).end()
  const [response] = await once(sent, 'response')
  response.resume()
  await once(response, 'end')
}

/** Writes from four sides at once, until the log has been emptied that often. */
async function write({ call, checkpoints }: TracedServer, until: number): Promise<void> {
  const writeOne = async () => {
    await call('POST', '/objects')
    return checkpoints()
  }
  const side = () => eventually(writeOne, (count) => count >= until, 0)
  await Promise.all([side(), side(), side(), side()])
}

test('with a disk that takes 50 ms to sync, the main thread answers while objects are written: it syncs nothing', async (t) => {
  const server = await startServer(t, 'fsync,fdatasync,syncfs,ftruncate', SLOW_SYNCS)
  let writing = true
  const written = write(server, 3).finally(() => {
    writing = false
  })
  let answers = 0
  while (writing) {
    await server.call('GET', '/health')
    answers++
    await sleep(2)
  }
  await written
  const calls = await server.end()

  const syncs = calls.filter(({ name }) => name !== 'ftruncate')
  assert.ok(syncs.length >= 10, `${syncs.length} syncs`)
  assert.deepEqual(
    syncs.filter(({ tid }) => tid === server.pid),
    [],
    'no sync on the main thread',
  )
  assert.ok(
    calls.some(({ name, path }) => name === 'ftruncate' && path.endsWith('-wal')),
    'the log was emptied',
  )
  assert.ok(answers > 0)
})

test('the database is written from a synced log only, and the log emptied when the database is synced', async (t) => {
  const server = await startServer(t, 'fsync,fdatasync,ftruncate,pwrite64')
  await write(server, 3)
  const calls = await server.end()
  const isWal = ({ path }: TracedCall) => path.endsWith('-wal')
  const isDatabase = ({ path }: TracedCall) => path.endsWith('.db')
  const writes = calls.filter(({ name }) => name === 'pwrite64')
  const syncs = calls.filter(({ name }) => name.endsWith('sync'))

  /** Whether `file` was synced, beginning after `from` and ending before `to`. */
  const synced = (file: (call: TracedCall) => boolean, from: number, to: number) =>
    syncs.some((sync) => file(sync) && sync.begin > from && sync.end < to)
  const lastWrite = (file: (call: TracedCall) => boolean, before: number) =>
    writes.findLast((write) => file(write) && write.begin < before)?.end ?? -1

  const truncations = calls.filter((call) => call.name === 'ftruncate' && isWal(call))
  assert.ok(truncations.length >= 2, `${truncations.length} truncations`)
  for (const { begin } of truncations) {
    assert.ok(synced(isWal, lastWrite(isWal, begin), begin), 'log synced before it is emptied')
    assert.ok(synced(isDatabase, lastWrite(isDatabase, begin), begin), 'database synced before the log is emptied')
  }
  for (const { begin, tid } of writes.filter(isDatabase)) {
    assert.notEqual(tid, server.pid, 'the main thread does not write the database')
    const emptied = truncations.findLast((truncation) => truncation.end < begin)?.end ?? -1
    assert.ok(synced(isWal, emptied, begin), 'log synced before the database is written')
  }
})
