import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { eventually } from '../../test/support/eventually.ts'
import { inlineKernelThread } from './kernel-thread.ts'
import { adoptOrphan, adoptOrphans } from './orphans.ts'
import { processStat } from './process.ts'
import { spawnOps, spawnProcess } from './spawn.ts'

const thread = inlineKernelThread(spawnOps)
const directory = mkdtempSync(join(tmpdir(), 'condenser-orphans-'))

before(() => adoptOrphans())
after(() => rmSync(directory, { recursive: true }))

/** A program that starts `script` in the background and ends; returns the pid of what it has left, which begins then. */
async function leaveBehind(script: string): Promise<number> {
  const file = join(directory, 'pid')
  const go = join(directory, 'go')
  rmSync(go, { force: true })
  // A shell that still ran would reap it.
  const argv = ['sh', '-c', `sh -c 'while [ ! -e ${go} ]; do sleep 0.01; done; ${script}' & echo $! > ${file}`]
  const child = await spawnProcess(thread, {
    path: '/bin/sh',
    argv,
    env: [],
    stdio: ['null', 'null', 'null'],
    cwd: '/',
  })
  assert.equal(await child.exit, 0)
  writeFileSync(go, '')
  return Number(readFileSync(file, 'utf8'))
}

async function untilZombie(pid: number): Promise<void> {
  await eventually(() => processStat(pid)?.isZombie !== false)
}

test('what a program has left behind becomes ours, and tells how it ends', { timeout: 10_000 }, async () => {
  const running = adoptOrphan(await leaveBehind('exec sleep 60'))!
  assert.equal(running.signal(9), true)
  assert.equal(await running.exit, 137)
  assert.equal(running.signal(9), false)

  const pid = await leaveBehind('exit 7')
  await untilZombie(pid)
  assert.equal(await adoptOrphan(pid)!.exit, 7, 'also one that has ended before anybody looked')
  assert.equal(processStat(pid), undefined)
})

test('a process that is not ours is not taken for one', () => {
  assert.equal(adoptOrphan(1), undefined)
  assert.equal(adoptOrphan(2 ** 22 - 1), undefined)
})

test('strays are reaped, those that somebody waits for are not', { timeout: 10_000 }, async () => {
  const stray = await leaveBehind('exit 0')
  const awaited = await leaveBehind('exit 3')
  await untilZombie(awaited)
  const { exit } = adoptOrphan(awaited)!
  await eventually(() => processStat(stray) === undefined)
  assert.equal(await exit, 3)
})
