import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { processStat } from '../../src/linux/process.ts'
import type { CreatedProcess } from '../../src/runtime/index.ts'
import { eventually } from './eventually.ts'
import { monitorsOf, RuntimeHost, testProcess } from './runtime-host.ts'

const SIGTERM = 15
const SIGKILL = 9
const MIB = 1024 * 1024

/** What every runtime under conmon must do. Needs root, the host's busybox, and namespaces of its own. */
export function runtimeSuite(choice: 'crun' | 'runc'): void {
  describe(`the runtime ${choice}`, () => {
    let host: RuntimeHost
    before(async () => {
      host = new RuntimeHost(choice)
      await host.start()
    })
    after(() => host[Symbol.asyncDispose]())
    lifecycle(() => host)
    failures(() => host)
    execs(() => host)
    restarts(() => host)
  })
}

const shell = (script: string) => ['/bin/sh', '-c', script]
const sleeper = shell('trap "exit 3" TERM; sleep 1000 & wait')

function lifecycle(host: () => RuntimeHost): void {
  test('names itself and its version', async () => {
    assert.equal(host().runtime.name, host().choice)
    assert.match((await host().runtime.ready).version, /^\d+\./)
  })

  test('a process runs after start, not before, and its exit code is told once', async () => {
    const container = host().container()
    const { pid, pidStartTime } = await host().create(container, shell('echo hello; echo oops >&2; exit 7'))
    assert.equal(processStat(pid)?.startTime, pidStartTime)
    assert.equal(readFileSync(container.logFile, 'utf8'), '')
    await host().runtime.start(host().ctx, container.id, container.bundle)
    const exit = await host().exitOf(container)
    assert.deepEqual({ exitCode: exit.exitCode, oomKilled: exit.oomKilled }, { exitCode: 7, oomKilled: false })
    assert.ok(Math.abs(Date.now() - exit.finishedAt) < 60_000)
    const log = readFileSync(container.logFile, 'utf8')
    assert.match(log, /^\S+ stdout F hello$/m)
    assert.match(log, /^\S+ stderr F oops$/m)
    await host().delete(container)
    assert.deepEqual(host().leftovers(container), [])
    assert.equal(host().exitsOf(container).length, 1)
  })

  test('a signal reaches the process, and only that one', async () => {
    const container = await host().launch(sleeper)
    await started(container)
    assert.equal(host().runtime.signal(container.pid, container.pidStartTime + 1, SIGKILL), false)
    assert.equal(host().runtime.signal(container.pid, container.pidStartTime, SIGKILL), true)
    assert.equal((await container.exited()).exitCode, 137)
    assert.equal(host().runtime.signal(container.pid, container.pidStartTime, SIGTERM), false)
    await host().delete(container)
  })

  test('a process killed for want of memory is told so', async () => {
    const hog = shell('x=$(head -c 64000000 /dev/zero | tr "\\0" x); echo done')
    const container = await host().launch(hog, { memoryBytes: 16 * MIB })
    const { exitCode, oomKilled } = await container.exited()
    assert.notEqual(exitCode, 0)
    assert.equal(oomKilled, true)
    await host().delete(container)
  })

  test('nothing of the daemon’s environment or descriptors is inside', async () => {
    process.env['CONDENSER_TEST_SECRET'] = 'x'
    const container = await host().launch(shell('ls /proc/self/fd; cat /proc/1/environ | tr "\\0" "\\n"'))
    await container.exited()
    const lines = logLines(container.logFile)
    assert.deepEqual(
      lines.filter((line) => /^\d+$/.test(line)),
      ['0', '1', '2', '3'],
    )
    assert.deepEqual(lines.filter((line) => line.includes('=') && !/^(HOSTNAME|HOME)=/.test(line)).sort(), [
      'INSIDE=yes',
      'PATH=/bin',
    ])
    await host().delete(container)
  })

  test('a container may have a terminal', async () => {
    const container = host().container()
    const { id, bundle, logFile } = container
    const spec = host().spec(container, shell('test -t 0 && test -t 1 && echo on a terminal'))
    const terminal = { ...spec, process: { ...spec.process, terminal: true } }
    await host().runtime.create(host().ctx, { id, bundle, logFile, spec: terminal, tty: true, openStdin: true })
    await host().runtime.start(host().ctx, id, bundle)
    assert.equal((await host().exitOf(container)).exitCode, 0)
    assert.deepEqual(logLines(logFile), ['on a terminal\r'])
    await host().delete(container)
    assert.deepEqual(host().leftovers(container), [])
  })

  test('delete ends what runs, may be repeated, and knows containers that never were', async () => {
    const container = await host().launch(sleeper)
    await host().delete(container)
    assert.equal(runs(container), false)
    assert.deepEqual(host().leftovers(container), [])
    await host().delete(container)
    await host().delete(host().container())
    assert.deepEqual(host().exitsOf(container), [])
  })

  test('a conmon is in no cgroup of the daemon’s own, which may end with the daemon', async () => {
    const container = await host().launch(sleeper)
    const [monitor] = monitorsOf(container.id)
    const own = cgroupsOf(process.pid).filter((line) => !line.endsWith(':/'))
    await eventually(() => own.every((line) => !cgroupsOf(monitor!).includes(line)))
    await host().delete(container)
  })

  test('many at a time', async () => {
    const all = await Promise.all(Array.from({ length: 12 }, (_, i) => host().launch(shell(`exit ${i}`))))
    const exits = await Promise.all(all.map((container) => container.exited()))
    assert.deepEqual(
      exits.map(({ exitCode }) => exitCode),
      Array.from({ length: 12 }, (_, i) => i),
    )
    await Promise.all(all.map((container) => host().delete(container)))
    for (const container of all) assert.deepEqual(host().leftovers(container), [])
  })

  test('a log that was renamed goes on in a new file, without losing a line', async () => {
    const container = await host().launch(
      shell('i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; sleep 1000'),
    )
    const parts: string[] = []
    for (let round = 0; round < 5; round++) {
      const part = `${container.logFile}.${round}`
      renameSync(container.logFile, part)
      await host().runtime.reopenLog(container.bundle)
      parts.push(part)
    }
    host().runtime.signal(container.pid, container.pidStartTime, SIGKILL)
    await container.exited()
    const lines = logLines(...parts, container.logFile)
    assert.deepEqual(
      lines,
      Array.from({ length: lines.length }, (_, i) => `line ${i}`),
    )
    await host().delete(container)
  })
}

function failures(host: () => RuntimeHost): void {
  test('a command that is not there fails the create with the runtime’s message', async () => {
    const container = host().container()
    await assert.rejects(host().create(container, ['nope']), {
      code: 'invalid_argument',
      message: /nope.*not found in \$PATH/,
    })
    await host().delete(container)
    assert.deepEqual(host().leftovers(container), [])
    assert.deepEqual(host().exitsOf(container), [])
  })

  test('a root filesystem that is not there is an internal error', async () => {
    const container = host().container()
    const spec = { ...host().spec(container, ['/bin/true']), root: { path: '/nowhere', readonly: false } }
    mkdirSync(container.bundle, { recursive: true })
    const input = { ...container, spec, tty: false, openStdin: false }
    await assert.rejects(host().runtime.create(host().ctx, input), { code: 'internal', message: /nowhere/ })
    await host().delete(container)
    assert.deepEqual(host().leftovers(container), [])
  })

  test('a start without a create fails', async () => {
    const container = host().container()
    await assert.rejects(host().runtime.start(host().ctx, container.id, container.bundle), { code: 'internal' })
  })

  test('a conmon that is killed takes the container along, with a lost exit code', async () => {
    const container = await host().launch(sleeper)
    const [monitor] = monitorsOf(container.id)
    process.kill(monitor!, SIGKILL)
    const exit = await container.exited()
    assert.equal(exit.reason, 'LostExitCode')
    assert.equal(runs(container), false)
    await host().delete(container)
    assert.deepEqual(host().leftovers(container), [])
  })

  test('a conmon that is killed during create leaves nothing that delete does not take', async () => {
    for (const delayMs of [0, 2, 4, 6, 10, 20]) {
      const container = host().container()
      const created = host()
        .create(container, sleeper)
        .then(
          () => 'created',
          () => 'failed',
        )
      await new Promise((resolve) => setTimeout(resolve, delayMs))
      for (const pid of monitorsOf(container.id)) killIfThere(pid)
      await created
      await host().delete(container)
      assert.deepEqual(host().leftovers(container), [], `after ${delayMs} ms`)
    }
  })
}

function execs(host: () => RuntimeHost): void {
  const run = async (container: { id: string; bundle: string }, args: string[], input?: string) => {
    const options = { bundle: container.bundle, process: testProcess(args), stdin: input !== undefined }
    const exec = await host().runtime.exec(host().ctx, container.id, options)
    exec.stdin?.end(input)
    const [stdout, stderr, exit] = await Promise.all([text(exec.stdout), text(exec.stderr), exec.exit])
    return { stdout, stderr, ...exit }
  }

  test('an exec has output, input and an exit code', async () => {
    const container = await host().launch(sleeper)
    const result = await run(container, shell('cat; echo err >&2; exit 9'), 'from stdin')
    assert.deepEqual(result, { stdout: 'from stdin', stderr: 'err\n', exitCode: 9 })
    assert.equal((await run(container, shell('kill -9 $$'))).exitCode, 137)
    const { stdout } = await run(container, ['/bin/ls', '/proc/self/fd'])
    assert.equal(stdout, '0\n1\n2\n3\n')
    assert.deepEqual(
      (await run(container, ['/bin/env'])).stdout
        .split('\n')
        .filter(Boolean)
        .sort()
        .filter((line) => !line.startsWith('HOME=')),
      ['INSIDE=yes', 'PATH=/bin'],
    )
    await host().delete(container)
    assert.deepEqual(host().leftovers(container), [])
  })

  test('an exec of a command that is not there says so', async () => {
    const container = await host().launch(sleeper)
    const { exitCode, stderr, error } = await run(container, ['nope'])
    assert.equal(exitCode, 127)
    assert.match(stderr, /not found in \$PATH/)
    assert.equal(error?.code, 'invalid_argument')
    assert.equal((await run(container, ['/proc/version'])).exitCode, 126)
    await host().delete(container)
  })

  // The runtime may end before what it had forked, which is then a zombie in the container's PID namespace.
  test('execs of commands that are not there leave nothing that keeps the container from ending', async () => {
    const container = await host().launch(sleeper)
    await Promise.all(Array.from({ length: 20 }, () => run(container, ['nope'])))
    process.kill(container.pid, 'SIGKILL')
    assert.equal((await container.exited()).exitCode, 137)
    await host().delete(container)
  })

  test('an exec whose output nobody reads waits, and goes on', async () => {
    const container = await host().launch(sleeper)
    const options = { bundle: container.bundle, process: testProcess(shell('head -c 8000000 /dev/zero')), stdin: false }
    const exec = await host().runtime.exec(host().ctx, container.id, options)
    exec.stderr.resume()
    let bytes = 0
    for await (const chunk of exec.stdout) bytes += chunk.length
    assert.equal(bytes, 8_000_000)
    assert.equal((await exec.exit).exitCode, 0)
    await host().delete(container)
  })

  test('an exec can be signalled', async () => {
    const container = await host().launch(sleeper)
    const options = { bundle: container.bundle, process: testProcess(shell('echo up; sleep 1000')), stdin: false }
    const exec = await host().runtime.exec(host().ctx, container.id, options)
    exec.stderr.resume()
    await new Promise((resolve) => exec.stdout.once('data', resolve))
    assert.equal(await exec.signal(0), true)
    assert.ok(exec.pid! > 0)
    assert.equal(await exec.signal(SIGKILL), true)
    assert.equal((await exec.exit).exitCode, 137)
    assert.equal(await exec.signal(SIGKILL), false)
    assert.equal(exec.pid, undefined)
    await host().delete(container)
  })

  test('an exec in a container that does not run fails', async () => {
    const container = await host().launch(['/bin/true'])
    await container.exited()
    const { exitCode, error } = await run(container, ['/bin/true'])
    assert.notEqual(exitCode, 0)
    assert.ok(error)
    await host().delete(container)
  })
}

function restarts(host: () => RuntimeHost): void {
  test('containers outlive the daemon: the next one finds them running, ended, or lost', async () => {
    const running = await host().launch(sleeper)
    const ended = await host().launch(sleeper)
    const lost = await host().launch(sleeper)
    const unwatched = await host().launch(sleeper)
    await started(ended)
    await host().stop()

    process.kill(ended.pid, SIGKILL)
    process.kill(monitorsOf(lost.id)[0]!, SIGKILL)
    process.kill(lost.pid, SIGKILL)
    process.kill(monitorsOf(unwatched.id)[0]!, SIGKILL)
    await eventually(
      () =>
        existsSync(join(host().run, 'exits', ended.id)) &&
        [lost, unwatched].every(({ id }) => monitorsOf(id).length === 0) &&
        !runs(lost),
    )
    await host().start()

    const { runtime, ctx } = host()
    assert.deepEqual(await runtime.recover(ctx, running), { state: 'running', paused: false })
    const recovered = await runtime.recover(ctx, ended)
    assert.equal(recovered.state === 'exited' && recovered.exitCode, 137)
    assert.deepEqual(await runtime.recover(ctx, lost), { state: 'lost' })
    assert.deepEqual(await runtime.recover(ctx, unwatched), { state: 'lost' })
    assert.equal(runs(unwatched), false)

    renameSync(running.logFile, `${running.logFile}.1`)
    await runtime.reopenLog(running.bundle)
    const exited = host().exitOf(running)
    assert.equal(runtime.signal(running.pid, running.pidStartTime, SIGKILL), true)
    assert.equal((await exited).exitCode, 137)
    assert.equal(host().exitsOf(running).length, 1)
    for (const container of [running, ended, lost, unwatched]) {
      await host().delete(container)
      assert.deepEqual(host().leftovers(container), [])
    }
  })

  test('a container that the last daemon was creating is taken away', async () => {
    for (const delayMs of [1, 3, 5, 8, 15]) {
      const container = host().container()
      const created = host()
        .create(container, sleeper)
        .catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, delayMs))
      await host().stop()
      await host().start()
      await host().delete(container)
      assert.deepEqual(host().leftovers(container), [], `after ${delayMs} ms`)
      await created
    }
  })

  test('a half-written bundle and state are taken away', async () => {
    const container = host().container()
    mkdirSync(container.bundle, { recursive: true })
    writeFileSync(join(container.bundle, 'config.json'), '{"ociVersion"')
    mkdirSync(join(host().run, host().choice, container.id), { recursive: true })
    await host().delete(container)
    assert.deepEqual(host().leftovers(container), [])
  })
}

/** The lines of files in CRI format that follow each other; a `P` is the part of one. */
function logLines(...files: string[]): string[] {
  const lines = files.flatMap((file) => readFileSync(file, 'utf8').split('\n').filter(Boolean))
  const parts = lines
    .map((line) => line.split(' '))
    .map(([, , tag, ...rest]) => rest.join(' ') + (tag === 'P' ? '' : '\n'))
  return parts.join('').split('\n').filter(Boolean)
}

function cgroupsOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n')
}

/** Until the shell has been executed in place of the runtime's init. */
async function started({ pid }: CreatedProcess): Promise<void> {
  await eventually(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('/bin/sh'))
}

/** The first process of a conmon ends as soon as it has forked. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, SIGKILL)
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH')
  }
}

/** Not as a zombie: one whose parent is gone is reaped by the host's init, in its own time. */
function runs({ pid, pidStartTime }: CreatedProcess): boolean {
  const stat = processStat(pid)
  return stat?.startTime === pidStartTime && !stat.isZombie
}
