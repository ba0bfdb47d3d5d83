import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { closeFd, pipe } from './fd.ts'
import { inlineKernelThread } from './kernel-thread.ts'
import { Pidfd, signalProcess } from './pidfd.ts'
import { processStat } from './process.ts'
import { type SpawnStdio, spawnOps, spawnProcess } from './spawn.ts'

const thread = inlineKernelThread(spawnOps)

const shell = (script: string, stdio: readonly SpawnStdio[] = ['null', 'null', 'null']) =>
  spawnProcess(thread, { path: '/bin/sh', argv: ['sh', '-c', script], env: ['A=1'], stdio, cwd: '/' })

async function output(script: string): Promise<string> {
  const { readEnd, writeEnd } = pipe()
  const child = await shell(script, ['null', writeEnd, writeEnd])
  closeFd(writeEnd)
  const [written] = await Promise.all([text(new Socket({ fd: readEnd, readable: true, writable: false })), child.exit])
  return written
}

test('the exit code is the process’s own, or 128 and the signal', async () => {
  assert.equal(await (await shell('exit 7')).exit, 7)
  assert.equal(await (await shell('kill -9 $$')).exit, 137)
})

test('a program that is not there is an error of the call', async () => {
  const input = { path: '/nowhere/x', argv: ['x'], env: [], stdio: [], cwd: '/' }
  await assert.rejects(spawnProcess(thread, input), { code: 'ENOENT', message: 'start /nowhere/x: ENOENT' })
})

test('a child gets the given environment, directory and descriptors, and nothing else', async () => {
  assert.equal(await output('echo $A $PWD; ls /proc/self/fd | tr "\\n" " "'), '1 /\n0 1 2 3 ')
  assert.deepEqual((await output('tr "\\0" "\\n" </proc/$$/environ')).trim(), 'A=1')
  // By the last command of all: a shell that forks blocks every signal for a moment.
  assert.match(await output('exec cat /proc/self/status'), /^SigBlk:\t0+\nSigIgn:\t0+$/m)
})

test('a process is signalled only while it is the one that was meant', async () => {
  const child = await shell('exec sleep 60')
  const { startTime } = processStat(child.pid)!
  assert.equal(signalProcess(child.pid, startTime + 1, 9), false)
  assert.equal(signalProcess(child.pid, startTime, 9), true)
  assert.equal(await child.exit, 137)
  assert.equal(signalProcess(child.pid, startTime, 9), false)
  assert.equal(Pidfd.open(child.pid), undefined)
})
