import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, watch } from 'node:fs'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { silentLogger } from '../lib/log.ts'
import { readLogTail } from './log-reader.ts'
import { LogRotation } from './log-rotation.ts'

const ctx = { signal: new AbortController().signal, log: silentLogger }

let dir: string
// Neither a rotation's timers nor its watches keep a process alive.
const keepAlive = setInterval(() => {}, 60_000)
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'log-rotation-'))
})
after(async () => {
  clearInterval(keepAlive)
  await rm(dir, { recursive: true })
})

/**
 * Writes numbered lines without a pause, and opens a new file as conmon does: a temporary one, renamed over the log's
 * path. It writes as many lines as asked for, and more until it has opened that many files; then it tells how many.
 */
const WRITER = `
  const fs = require('node:fs')
  const [file, lines, files] = [process.argv[1], Number(process.argv[2]), Number(process.argv[3])]
  let fd = fs.openSync(file, 'a')
  let number = 0
  let opened = 0
  process.on('message', () => {
    const next = fs.openSync(file + '.tmp', 'w')
    fs.renameSync(file + '.tmp', file)
    fs.closeSync(fd)
    fd = next
    opened++
    process.send('reopened')
  })
  function more() {
    for (let i = 0; i < 200; i++) {
      fs.writeSync(fd, '2024-05-01T10:00:00.1+00:00 stdout F line ' + number++ + '\\n')
    }
    if (number < lines || opened < files) setImmediate(more)
    else process.send(number)
  }
  more()
`

function startWriter(file: string, lines: number, files: number): ChildProcess {
  return spawn(process.execPath, ['-e', WRITER, file, String(lines), String(files)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

test('a busy writer loses no line, and none comes twice', async () => {
  const file = join(dir, 'busy')
  const writer = startWriter(file, 100_000, 3)
  let total = 0
  using rotation = new LogRotation({ maxBytes: 200_000, maxFiles: 1000, log: silentLogger, lookAgainMs: 5 })
  rotation.follow('id', file, async () => {
    if (writer.connected) writer.send('reopen')
  })
  for await (const [message] of on(writer)) {
    if (typeof message === 'number') total = message
    if (total > 0) break
  }
  rotation.leave('id')
  writer.disconnect()
  await once(writer, 'exit')

  const chunks = await Array.fromAsync(readLogTail(ctx, file, { tailLines: Number.POSITIVE_INFINITY }))
  const lines = Buffer.concat(chunks).toString().split('\n').slice(0, -1)
  assert.equal(lines.length, total)
  assert.equal(
    lines.findIndex((line, i) => line !== `line ${i}`),
    -1,
  )
})

test('a quiet log is seen when it grows, and keeps no more than maxFiles', async () => {
  const own = await mkdtemp(join(dir, 'quiet-'))
  const file = join(own, 'log')
  await writeFile(file, '')
  using rotation = new LogRotation({ maxBytes: 10, maxFiles: 3, log: silentLogger, lookAgainMs: 5 })
  const reopened: (() => void)[] = []
  rotation.follow('id', file, async () => {
    await writeFile(file, '')
    reopened.shift()?.()
  })
  for (let i = 0; i < 5; i++) {
    const { promise, resolve } = Promise.withResolvers<void>()
    reopened.push(resolve)
    await writeFile(file, `${'x'.repeat(20)} ${i}`)
    await promise
  }
  assert.deepEqual(readdirSync(own).sort(), ['log', 'log.1', 'log.2'])
  assert.match(await readFile(`${file}.1`, 'utf8'), / 4$/)
  assert.match(await readFile(`${file}.2`, 'utf8'), / 3$/)
})

test('a rotation that a crash broke off before the reopen is ended, once', async () => {
  const own = await mkdtemp(join(dir, 'broken-'))
  const file = join(own, 'log')
  await writeFile(`${file}.1`, 'old')
  using rotation = new LogRotation({ maxBytes: 10, maxFiles: 3, log: silentLogger, lookAgainMs: 5 })
  let calls = 0
  const watcher = watch(own)
  const created = once(watcher, 'change')
  rotation.follow('id', file, async () => {
    calls++
    await writeFile(`${file}.tmp`, '')
    await rename(`${file}.tmp`, file)
  })
  await created
  watcher.close()
  assert.equal(calls, 1)
  assert.ok(existsSync(`${file}.1`))
})

test('a reopen that fails is tried again, without another rotation', async () => {
  const own = await mkdtemp(join(dir, 'failing-'))
  const file = join(own, 'log')
  await writeFile(file, 'x'.repeat(20))
  using rotation = new LogRotation({ maxBytes: 10, maxFiles: 3, log: silentLogger, lookAgainMs: 5 })
  const { promise, resolve } = Promise.withResolvers<void>()
  let calls = 0
  rotation.follow('id', file, async () => {
    if (++calls === 1) throw new Error('no such FIFO')
    await writeFile(file, '')
    resolve()
  })
  // The first event of a directory wakes nothing here: the retry is by time, 1 s at first.
  await promise
  assert.equal(calls, 2)
  assert.deepEqual(readdirSync(own).sort(), ['log', 'log.1'])
})

async function* on(writer: ChildProcess): AsyncGenerator<[unknown]> {
  for (;;) yield (await once(writer, 'message')) as [unknown]
}
