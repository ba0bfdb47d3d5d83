import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, afterEach, before, describe, test } from 'node:test'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { eventually, inTime } from '../support/eventually.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { type InTerminal, inTerminal, type Step } from '../support/terminal.ts'

runInOwnNamespaces(import.meta.filename)

const RAIND = join(import.meta.dirname, '../../bin/raind')
const SIGINT = 2
const SIGTERM = 15
const [CTRL_P, CTRL_Q] = ['\x10', '\x11']
/** busybox' prompt. */
const PROMPT = /# /
const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i + 1}\n`).join('')
const md5 = (bytes: string | Uint8Array) => createHash('md5').update(bytes).digest('hex')

let fixture: DaemonFixture
let dir: string
const api = () => fixture.daemon.api

before(async () => {
  fixture = await daemonFixture({ listen: '127.0.0.1:7755' })
  dir = await mkdtemp('/var/tmp/condenser-cli-')
})
afterEach(() => fixture.clear())
after(async () => {
  await rm(dir, { recursive: true })
  await fixture[Symbol.asyncDispose]()
})

const environment = () => ({ CONDENSER_SOCKET: join(fixture.home.run, 'condenser.sock'), RAIND, IMAGE: fixture.image })

/** `raind` in a terminal, as a shell's foreground job. */
function raindInTerminal(args: readonly string[], ...steps: Step[]): Promise<InTerminal> {
  return inTerminal([RAIND, ...args], steps, environment())
}

interface Started {
  readonly child: ChildProcess
  readonly stdout: Readable
  /** All that came, and the exit code, or the signal. */
  readonly done: Promise<{ code: number | string; stdout: string; stderr: string }>
}

/** Without a terminal. */
function start(argv: readonly string[], input: 'ignore' | 'pipe' = 'ignore'): Started {
  const child = spawn(argv[0]!, argv.slice(1), {
    env: { ...process.env, ...environment() },
    stdio: [input, 'pipe', 'pipe'],
  })
  const done = Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'close')]).then(
    ([stdout, stderr, [code, signal]]) => ({ code: code ?? signal, stdout, stderr }),
  )
  return { child, stdout: child.stdout!, done }
}

const raind = (...args: string[]) => start([RAIND, ...args]).done
const shell = (script: string, ...args: string[]) => start(['bash', '-c', script, 'sh', ...args]).done

async function untilShown(stdout: Readable, pattern: RegExp): Promise<void> {
  let shown = ''
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const look = (chunk: Buffer) => {
    shown += chunk
    if (pattern.test(shown)) resolve()
  }
  stdout.on('data', look)
  stdout.once('end', () => reject(new Error(`${pattern} did not come; shown was: ${shown}`)))
  await inTime(promise, () => shown)
  stdout.off('data', look)
}

/** Waits until no process of the container matches. */
async function untilGone(id: string, pattern: RegExp): Promise<void> {
  const processes = async () => {
    const command = ['ps', '-o', 'args']
    return (await api().post(`/v1/containers/${id}/actions/exec`, { command, wait: true })).json.data.stdout as string
  }
  await eventually(processes, (lines) => !pattern.test(lines))
}

/** Whether a signal that was sent to a process has not reached it yet. */
function isPending(pid: number, signal: number): boolean {
  const status = existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, 'utf8') : ''
  const pending = BigInt(`0x${/^ShdPnd:\s+(\w+)$/m.exec(status)?.[1] ?? '0'}`)
  return ((pending >> BigInt(signal - 1)) & 1n) === 1n
}

const stateOf = async (ref: string) => (await api().get(`/v1/containers/${ref}`)).json.data?.state
const count = async () => ((await api().get('/v1/containers')).json.data ?? []).length

describe('in a terminal', () => {
  test('run -it --rm: prompt, size, a new size, Ctrl-C, the exit code, and nothing left', async () => {
    const done = await raindInTerminal(
      ['run', '-it', '--rm', fixture.image, 'sh'],
      [PROMPT, 'stty size\r'],
      [
        /\r\n24 80\r\n.*# /,
        'until [ "$(stty size)" = "40 100" ]; do sleep 0.05; done; sh -c "echo now new; exec sleep 1000"\r',
      ],
      // Of a process that is in the foreground by then: a Ctrl-C that comes while the shell forks is lost on both.
      [/1000"\r\n/, 'size 40x100'],
      [/now new\r\n/, '\x03'],
      [PROMPT, 'echo "code $?"; exit 7\r'],
    )
    assert.match(done.shown, /code 130/)
    assert.deepEqual([done.code, done.isSane, await count()], [7, true, 0], done.shown)
  })

  test('exec -it: a terminal of its own, and no key press is waited for at its end', async () => {
    const id = await runContainer(fixture, { command: ['sleep', '1000'] })
    const done = await raindInTerminal(
      ['exec', '-it', '-e', 'WORD=said', id, 'sh'],
      [PROMPT, 'tty; stty size; echo "$WORD"\r'],
      [/\/dev\/pts\/\d+\r\n24 80\r\nsaid\r\n.*# /, 'seq 3000; exit 5\r'],
    )
    assert.match(done.shown, /2999\r\n3000\r\n$/)
    assert.deepEqual([done.code, done.isSane], [5, true])
  })

  test('attach says how to leave; Ctrl-P Ctrl-Q does, and a lone Ctrl-P comes through', async () => {
    const id = await runContainer(fixture, { command: ['sh'], tty: true })
    const done = await raindInTerminal(
      ['attach', id],
      [/press Ctrl-P Ctrl-Q\r\n/, '\r'],
      // One key after the other, as a person types: both of these are the container's.
      [PROMPT, 'echo "ready: $((6 * 7))"; od -An -tx1; echo over\r'],
      [/ready: 42\r\n/, CTRL_P],
      [/^/, 'x\r'],
      [/x\r\n/, '\x04'],
      [/10 78 0a\r\nover\r\n.*# /, CTRL_P],
      [/^/, CTRL_Q],
    )
    assert.deepEqual([done.code, done.isSane, await stateOf(id)], [0, true, 'running'], done.shown)
    const again = await raindInTerminal(
      ['attach', '--detach-keys', 'ctrl-x,y', id],
      [/press ctrl-x,y\r\n/, '\r'],
      [PROMPT, `${CTRL_P}${CTRL_Q}\x15echo still here\r`],
      [/\nstill here\r\n.*# /, '\x18y'],
    )
    assert.deepEqual([again.code, again.isSane, await stateOf(id)], [0, true, 'running'], again.shown)
    const wrong = await raindInTerminal(['attach', '--detach-keys', 'strg-x', id])
    assert.equal(wrong.code, 125)
    assert.match(wrong.shown, /Cannot read the detach keys "strg-x"/)
  })

  test('attach --logs begins with what was written', async () => {
    const id = await runContainer(fixture, { command: ['sh', '-c', 'echo early; exec sh'], tty: true })
    const done = await raindInTerminal(['attach', '--logs', id], [/early\r\n(.|\n)*# /, 'exit 3\r'])
    assert.deepEqual([done.code, done.isSane], [3, true], done.shown)
  })

  test('a detached exec lives on; one whose terminal is pulled out gets the hang-up', async () => {
    const id = await runContainer(fixture, { command: ['sleep', '1000'] })
    const loop = 'trap "echo hung-up > /tmp/word; exit" HUP; echo loop; while :; do sleep 0.05; done'
    const left = await raindInTerminal(['exec', '-it', id, 'sh', '-c', loop], [/loop\r\n/, `${CTRL_P}${CTRL_Q}`])
    assert.equal(left.code, 0, left.shown)
    const args = async () => (await raind('exec', id, 'sh', '-c', 'ps -o args; cat /tmp/word')).stdout
    assert.match(await args(), /echo loop/)
    // The first process of the container is the sleep, the second one this.
    await raind('exec', id, 'kill', '-HUP', '2')
    await untilGone(id, /echo loop/)
    await raind('exec', id, 'rm', '/tmp/word')
    const killed = await raindInTerminal(['exec', '-it', id, 'sh', '-c', loop], [/loop\r\n/, 'kill -KILL'])
    assert.equal(killed.code, -9)
    await untilGone(id, /echo loop/)
    assert.match(await args(), /hung-up/)
  })

  test('SIGTERM from elsewhere ends the command, and the terminal is as before', async () => {
    const id = await runContainer(fixture, { command: ['sleep', '1000'] })
    const done = await raindInTerminal(['exec', '-it', id, 'sh'], [PROMPT, 'kill -TERM'])
    assert.deepEqual([done.code, done.isSane], [-SIGTERM, true], done.shown)
    await untilGone(id, /^sh$/m)
  })

  test('over TLS', async () => {
    const id = await runContainer(fixture, { command: ['sleep', '1000'] })
    const pair = (name: string) => join(fixture.home.certDir, name)
    const at = ['--host', 'https://localhost:7755', '--cacert', pair('raind.crt')]
    const tls = [...at, '--cert', pair('raindClient.crt'), '--key', pair('raindClient.key')]
    const done = await raindInTerminal(
      [...tls, 'exec', '-it', id, 'sh'],
      [PROMPT, 'stty size; exit 6\r'],
      [/24 80\r\n/, 'size 24x80'],
    )
    assert.deepEqual([done.code, done.isSane], [6, true], done.shown)
    const piped = await shell('seq 100000 | "$RAIND" "$@"', ...tls, 'run', '-i', '--rm', fixture.image, 'md5sum')
    assert.deepEqual(piped, { code: 0, stdout: `${md5(numbers(100_000))}  -\n`, stderr: '' })
  })
})

describe('without a terminal', () => {
  test('pipes: what goes in comes out, to the last byte', async () => {
    const id = await runContainer(fixture, { command: ['sleep', '1000'] })
    assert.deepEqual(await shell('echo x | "$RAIND" exec -i "$1" cat', id), { code: 0, stdout: 'x\n', stderr: '' })
    const { stdout } = await shell('"$RAIND" exec "$1" seq 100000 | md5sum', id)
    assert.equal(stdout, `${md5(numbers(100_000))}  -\n`)
    const ran = await shell('"$RAIND" run --rm "$IMAGE" seq 100000 | md5sum')
    assert.equal(ran.stdout, `${md5(numbers(100_000))}  -\n`)
    const file = join(dir, 'input')
    const bytes = Buffer.alloc(3_000_000, 'input that is no text: \0\xff\n')
    await writeFile(file, bytes)
    const summed = await shell('"$RAIND" run -i --rm "$IMAGE" md5sum < "$1"', file)
    assert.deepEqual(summed, { code: 0, stdout: `${md5(bytes)}  -\n`, stderr: '' })
    const through = await shell('"$RAIND" exec -i "$1" cat < "$2" | md5sum', id, file)
    assert.equal(through.stdout, `${md5(bytes)}  -\n`)
  })

  test('exit codes, of the process or of what went wrong', async () => {
    const id = await runContainer(fixture, { command: ['sleep', '1000'] })
    for (const [args, code, error] of [
      [['exec', id, 'sh', '-c', 'exit 42'], 42, /^$/],
      [['exec', id, 'sh', '-c', 'kill -9 $$'], 137, /^$/],
      [['exec', id, '/nowhere'], 127, /nowhere/],
      [['exec', id, '/etc'], 126, /not permitted|denied|directory/i],
      [['exec', 'nobody', 'true'], 1, /^raind: No such container/],
      [['run', '--rm', fixture.image, 'sh', '-c', 'exit 43'], 43, /^$/],
      [['run', '--rm', fixture.image, '/nowhere'], 127, /^raind: .*nowhere/],
      [['run', '--rm', '-it', fixture.image, 'sh', '-c', 'test -t 0 && exit 3'], 3, /^$/],
    ] as const) {
      const done = await raind(...args)
      assert.equal(done.code, code, `${args.join(' ')}: ${done.stderr}`)
      assert.match(done.stderr, error)
    }
    assert.equal(await count(), 1)
  })

  test('the streams stay apart', async () => {
    const id = await runContainer(fixture, { command: ['sleep', '1000'] })
    const script = 'echo out; echo err >&2'
    const expected = { code: 0, stdout: 'out\n', stderr: 'err\n' }
    assert.deepEqual(await raind('exec', id, 'sh', '-c', script), expected)
    assert.deepEqual(await raind('run', '--rm', fixture.image, 'sh', '-c', script), expected)
  })

  test('SIGINT goes to the process; the third one leaves what heeds none', async () => {
    const id = await runContainer(fixture, { command: ['sleep', '1000'] })
    const heeds = 'trap "echo heard; exit 4" INT; echo ready; while :; do sleep 0.05; done'
    const ignores = 'trap "" INT; trap "echo over; exit" HUP; echo ready; while :; do sleep 0.05; echo .; done'
    for (const where of [
      ['run', '--rm', fixture.image],
      ['exec', id],
    ]) {
      const polite = start([RAIND, ...where, 'sh', '-c', heeds])
      await untilShown(polite.stdout, /ready/)
      polite.child.kill('SIGINT')
      assert.deepEqual(await polite.done, { code: 4, stdout: 'ready\nheard\n', stderr: '' })

      const stubborn = start([RAIND, ...where, 'sh', '-c', ignores])
      await untilShown(stubborn.stdout, /ready/)
      for (let i = 0; i < 3; i++) {
        stubborn.child.kill('SIGINT')
        // Two that wait at the same time are one.
        await eventually(() => !isPending(stubborn.child.pid!, SIGINT))
      }
      const { code, stderr } = await stubborn.done
      assert.equal(code, 130)
      assert.match(stderr, /^raind: Left what does not end\n {2}The co\w+ (goes|may go) on running/)
    }
    assert.equal(await count(), 2)
    await untilGone(id, /echo over/)
  })

  test('a command that is killed leaves no process of its exec', async () => {
    const id = await runContainer(fixture, { command: ['sleep', '1000'] })
    for (const [input, ...command] of [
      ['pipe', 'sh', '-c', 'echo ready; cat; echo unheard'],
      ['ignore', 'sh', '-c', 'echo ready; yes'],
      ['ignore', 'sh', '-c', 'echo ready; while sleep 0.05; do echo .; done'],
    ] as const) {
      const { child, stdout, done } = start([RAIND, 'exec', ...(input === 'pipe' ? ['-i'] : []), id, ...command], input)
      await untilShown(stdout, /ready/)
      child.kill('SIGKILL')
      await done
      await untilGone(id, /echo ready|^cat$|^yes$/m)
    }
  })

  test('who reads has had enough: the command ends, and what it started in the container too', async () => {
    const chatty = ['sh', '-c', 'i=0; while :; do echo line $i; i=$((i+1)); sleep 0.02; done']
    const id = await runContainer(fixture, { command: chatty })
    const expected = { code: 0, stdout: 'line 0\n', stderr: '' }
    assert.deepEqual(await shell('"$RAIND" logs -f --tail all "$1" | head -1', id), expected)
    assert.deepEqual(await shell('"$RAIND" exec "$1" yes | head -1', id), { ...expected, stdout: 'y\n' })
    assert.deepEqual(await shell('"$RAIND" attach --logs "$1" | head -1', id), expected)
    await untilGone(id, /^yes$/m)
    const full = await shell('"$RAIND" exec "$1" yes > /dev/full', id)
    assert.deepEqual([full.code, full.stdout], [1, ''])
    assert.match(full.stderr, /^raind: Cannot write the output: .*ENOSPC/)
    await untilGone(id, /^yes$/m)
  })

  test('start -a and -ai: from the first byte, with the exit code', async () => {
    const created = async (...command: string[]) =>
      (await raind('create', '-i', '--name', 'one', fixture.image, ...command)).code
    assert.equal(await created('sh', '-c', 'echo out; echo err >&2; exit 8'), 0)
    for (let i = 0; i < 2; i++) {
      assert.deepEqual(await raind('start', '-a', 'one'), { code: 8, stdout: 'out\n', stderr: 'err\n' })
    }
    assert.equal((await raind('start', '-a', 'one', 'two')).code, 125)
    await raind('rm', 'one')
    await created('md5sum')
    const summed = await shell('seq 1000 | "$RAIND" start -ai one')
    assert.deepEqual(summed, { code: 0, stdout: `${md5(numbers(1000))}  -\n`, stderr: '' })
  })

  test('a daemon that is killed is told of, with another exit code than the process’s', async () => {
    const id = await runContainer(fixture, { command: ['sh', '-c', 'echo ready; exec sleep 1000'] })
    const running = [
      start([RAIND, 'exec', id, 'sh', '-c', 'echo ready; sleep 1000']),
      start([RAIND, 'run', fixture.image, 'sh', '-c', 'echo ready; sleep 1000']),
      start([RAIND, 'logs', '-f', id]),
    ]
    await Promise.all(running.map(({ stdout }) => untilShown(stdout, /ready/)))
    await fixture.daemon.kill()
    for (const [index, { done }] of running.entries()) {
      const { code, stderr } = await done
      assert.equal(code, index < 2 ? 125 : 1, stderr)
      assert.match(stderr, /^raind: The connection to the .*aemon .*\n( .*\n)?$/)
    }
    await fixture.restart()
  })
})
