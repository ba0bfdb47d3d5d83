import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { readLogTail } from '../../src/containers/log-reader.ts'
import { LogRotation } from '../../src/containers/log-rotation.ts'
import { silentLogger } from '../../src/lib/log.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { RuntimeHost } from '../support/runtime-host.ts'

runInOwnNamespaces(import.meta.filename)

const ROTATIONS = 5
let host: RuntimeHost
before(async () => {
  host = new RuntimeHost('runc')
  await host.start()
})
after(() => host[Symbol.asyncDispose]())

test('conmon loses no line of a busy container in rotations, and none comes twice', async () => {
  const logFile = join(host.directory, 'log', 'container.log')
  mkdirSync(dirname(logFile))
  const container = { ...host.container(), logFile }
  const script = 'i=0; while [ ! -e /tmp/enough ]; do echo line $i; i=$((i+1)); done; echo $i lines'
  await host.create(container, ['/bin/sh', '-c', script])

  using rotation = new LogRotation({ maxBytes: 64 * 1024, maxFiles: 1000, log: silentLogger, lookAgainMs: 20 })
  let rotations = 0
  rotation.follow(container.id, logFile, async () => {
    await host.runtime.reopenLog(container.bundle)
    if (++rotations < ROTATIONS) return
    rotation.leave(container.id)
    writeFileSync(join(host.rootfs, 'tmp/enough'), '')
  })
  await host.runtime.start(host.ctx, container.id, container.bundle)
  assert.equal((await host.exitOf(container)).exitCode, 0)

  assert.equal(readdirSync(dirname(logFile)).length, ROTATIONS + 1)
  const lines = (await tail(logFile, Number.POSITIVE_INFINITY)).split('\n').slice(0, -1)
  assert.equal(lines.pop(), `${lines.length} lines`)
  assert.equal(
    lines.findIndex((line, i) => line !== `line ${i}`),
    -1,
  )
  const expected = lines.slice(-4999).map((line) => `${line}\n`)
  assert.equal(await tail(logFile, 5000), `${expected.join('')}${lines.length} lines\n`)
  await host.delete(container)
})

test('a line longer than conmon reads at once comes in one piece', async () => {
  const container = await host.launch(['/bin/sh', '-c', "head -c 100000 /dev/zero | tr '\\0' x; echo; echo end"])
  await container.exited()
  assert.equal(await tail(container.logFile, 2), `${'x'.repeat(100_000)}\nend\n`)
  await host.delete(container)
})

async function tail(file: string, tailLines: number): Promise<string> {
  return Buffer.concat(await Array.fromAsync(readLogTail(host.ctx, file, { tailLines }))).toString()
}
