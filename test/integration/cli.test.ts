import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmdirSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, afterEach, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { MS_BIND, mount, unmount } from '../../src/linux/mount.ts'
import { projectRoot } from '../support/daemon.ts'
import { type DaemonFixture, daemonFixture } from '../support/daemon-fixture.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const RAIND = join(import.meta.dirname, '../../bin/raind')

describe('the command line client', () => {
  let fixture: DaemonFixture

  const raind = (...args: string[]) => raindAs(0, args)

  async function raindAs(
    uid: number,
    args: readonly string[],
    program = RAIND,
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const env = { ...process.env, CONDENSER_SOCKET: join(fixture.home.run, 'condenser.sock') }
    const child = spawn(program, args, { env, uid, stdio: ['ignore', 'pipe', 'pipe'] })
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    return { code, stdout, stderr }
  }

  before(async () => {
    fixture = await daemonFixture()
  })
  afterEach(() => fixture.leakCheck())
  after(() => fixture[Symbol.asyncDispose]())

  test('a container’s life: create, start, ps, exec, logs, stop, rm', async () => {
    const created = await raind(
      'create',
      '--name',
      'web',
      '-p',
      '0:80',
      fixture.image,
      'sh',
      '-c',
      'echo hi; sleep 100',
    )
    assert.match(created.stdout, /^container: [0-9a-f]{12} created\n$/)
    assert.equal((await raind('ps', '-q')).stdout, '')
    assert.equal((await raind('start', 'web')).code, 0)

    const lines = (await raind('ps')).stdout.split('\n')
    assert.match(lines[0]!, /^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAME$/)
    for (const column of ['IMAGE', 'STATUS', 'NAME'])
      assert.match(lines[1]!.slice(lines[0]!.indexOf(column)), /^\S/, `${column} is aligned`)
    assert.match(lines[1]!, /running +0\.0\.0\.0:\d+->80\/tcp +web$/)
    const [listed] = JSON.parse((await raind('ps', '--json')).stdout)
    assert.equal(listed.name, 'web')

    const exec = await raind('exec', '-e', 'A=1', '-w', '/tmp', 'web', 'sh', '-c', 'echo $A; pwd; echo bad >&2; exit 3')
    assert.deepEqual(exec, { code: 3, stdout: '1\n/tmp\n', stderr: 'bad\n' })
    assert.equal((await raind('logs', 'web')).stdout, 'hi\n')
    assert.equal((await raind('rm', 'web')).code, 1, 'it runs')
    assert.equal((await raind('stop', '-t', '0', 'web')).code, 0)
    assert.equal((await raind('rm', 'web')).stdout, 'container: web removed\n')
    assert.deepEqual(JSON.parse((await raind('container', 'ls', '--json')).stdout), [])
  })

  test('the options of docker run, and the verbs that change a container', async () => {
    const profile = join(fixture.home.root, '..', 'profile.json')
    writeFileSync(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW' }, undefined, 2))
    const flags = `--ulimit nofile=100:200 --sysctl kernel.msgmax=4096 --shm-size 2m --group-add 4242 --init -c 512
      --cpuset-cpus 0 -m 64m --memory-swap -1 --memory-reservation 32m --oom-score-adj 100 --device /dev/null:/dev/nil:r
      --security-opt no-new-privileges --security-opt seccomp=${profile} --pid private --ipc shareable --uts host
      --restart unless-stopped --health-cmd true --health-interval 1s --restart-unhealthy
      --dns 192.0.2.1 --dns-search example.org --dns-option ndots:2 --add-host db:192.0.2.2`.split(/\s+/)
    const script =
      'ulimit -n; cat /proc/sys/kernel/msgmax; tail -n 1 /etc/hosts; head -n 1 /etc/resolv.conf; exec sleep 1000'
    const run = await raind('run', '-d', '--name', 'opts', ...flags, fixture.image, 'sh', '-c', script)
    assert.equal(run.code, 0, run.stderr)
    const [{ spec }] = JSON.parse((await raind('inspect', 'opts')).stdout)
    assert.deepEqual(
      [spec.resources.memorySwapBytes, spec.resources.cpuShares, spec.init, spec.ipcMode, spec.utsMode, spec.security],
      [-1, 512, true, 'shareable', 'host', { noNewPrivileges: true, seccomp: { defaultAction: 'SCMP_ACT_ALLOW' } }],
    )
    assert.deepEqual(
      [spec.restart, spec.restartUnhealthy, spec.healthcheck.test, spec.healthcheck.intervalMs],
      [{ name: 'unless-stopped' }, true, ['CMD-SHELL', 'true'], 1000],
    )
    assert.equal((await raind('update', '--restart', 'no', 'opts')).code, 0)
    const both = await raind('run', '--rm', '--restart', 'always', fixture.image)
    assert.deepEqual([both.code, both.stderr.split('\n')[0]], [125, 'raind: --rm and --restart exclude each other'])
    assert.equal((await raind('update', '--pids-limit', '50', 'opts')).stdout, 'container: opts updated\n')
    assert.equal((await raind('pause', 'opts')).stdout, 'container: opts paused\n')
    assert.match((await raind('ps')).stdout, /paused( \((starting|healthy)\))? .*opts\n$/)
    assert.equal((await raind('unpause', 'opts')).stdout, 'container: opts unpaused\n')
    assert.equal((await raind('rename', 'opts', 'other')).stdout, 'container: other renamed\n')
    assert.equal((await raind('restart', '-t', '0', 'other')).stdout, 'container: other restarted\n')
    assert.match((await raind('logs', 'other')).stdout, /^100\n4096\n192\.0\.2\.2\tdb\nnameserver 192\.0\.2\.1\n/)
    assert.equal((await raind('rm', '-f', 'other')).code, 0)
    const missing = await raind('run', '--security-opt', 'seccomp=/no/such', fixture.image)
    assert.match(missing.stderr, /Cannot read the seccomp profile \/no\/such/)
  })

  test('run gives the output and the exit code of the process, and --rm leaves nothing', async () => {
    const run = await raind('run', '--rm', fixture.image, 'sh', '-c', 'echo out; exit 42')
    assert.deepEqual([run.code, run.stdout], [42, 'out\n'])
    assert.equal((await raind('ps', '-aq')).stdout, '')
  })

  test('run ends as docker’s does where the command cannot run', async () => {
    for (const [command, code] of [
      ['/no/such', 127],
      ['/etc/passwd', 126],
    ] as const) {
      for (const flags of [['--rm'], ['--rm', '-d']]) {
        const run = await raind('run', ...flags, fixture.image, command)
        assert.equal(run.code, code, run.stderr)
        assert.match(run.stderr, /^raind: Cannot start container /)
      }
    }
    assert.equal((await raind('ps', '-aq')).stdout, '')
  })

  test('bash completes commands, flags, and the names that the daemon knows', async () => {
    await raind('create', '--name', 'completed', fixture.image)
    const script = `
      export PATH=${dirname(RAIND)}:$PATH
      source <(raind completion bash)
      for COMP_LINE in 'raind netw' 'raind start c' 'raind image rm ${fixture.image}:l'; do
        COMP_POINT=\${#COMP_LINE} COMP_WORDS=($COMP_LINE) COMP_CWORD=1
        _raind
        echo "\${COMPREPLY[*]}"
      done`
    const env = { ...process.env, CONDENSER_SOCKET: join(fixture.home.run, 'condenser.sock') }
    const { stdout } = await promisify(execFile)('bash', ['-c', script], { env })
    assert.deepEqual(stdout.split('\n'), ['network', 'completed', 'latest', ''])
    await raind('rm', 'completed')
  })

  test('images: pull shows its layers, ls aligns, rm', async () => {
    const pulled = await raind('pull', fixture.image)
    assert.equal(pulled.code, 0, pulled.stderr)
    const lines = (await raind('image', 'ls')).stdout.split('\n')
    assert.match(lines[0]!, /^REPOSITORY +TAG/)
    assert.match(lines[1]!, /busybox +latest/)
    const missing = await raind('image', 'rm', 'nothing:here')
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /^raind: No such image/)
  })

  test('exec hears what comes together with the answer that opens the connection', async () => {
    await raind('run', '-d', '--name', 'quick', fixture.image, 'sleep', '1000')
    const socket = join(fixture.home.root, '..', 'slow.sock')
    const server = createServer((client) => {
      const daemon = connect(join(fixture.home.run, 'condenser.sock'))
      client.pipe(daemon)
      let held: Buffer[] = []
      daemon.on('data', (bytes: Buffer) => {
        // All that comes within that time goes on as one.
        if (held.push(bytes) > 1) return
        setTimeout(() => {
          client.write(Buffer.concat(held))
          held = []
        }, 300)
      })
      for (const side of [client, daemon]) side.on('error', () => {})
      client.on('close', () => daemon.destroy())
    })
    await once(server.listen(socket), 'listening')
    const exec = await raind('--socket', socket, 'exec', 'quick', 'sh', '-c', 'echo out; exit 3')
    server.close()
    assert.deepEqual(exec, { code: 3, stdout: 'out\n', stderr: '' })
    assert.equal((await raind('rm', '-f', 'quick')).code, 0)
  })

  test('ps, network ls and the prunes take docker’s filters and flags', async () => {
    await raind('create', '--name', 'one', '-l', 'tier=a', fixture.image, 'echo', 'a rather long command line')
    await raind('create', '--name', 'two', fixture.image)
    const listed = async (...args: string[]) => (await raind('ps', '-a', ...args)).stdout.split('\n').slice(1, -1)
    assert.match((await listed('--filter', 'name=on')).join(), /…" .*one$/)
    assert.match(
      (await listed('--no-trunc', '-f', 'status=created', '-f', 'label=tier')).join(),
      /"echo a rather long command line"/,
    )
    assert.match((await listed('-f', `ancestor=${fixture.image}`, '-f', 'label!=tier')).join(), /two$/)
    const unknown = await raind('ps', '--filter', 'nmae=x')
    assert.deepEqual([unknown.code, /did you mean "name"/.test(unknown.stderr)], [125, true])
    await raind('network', 'create', 'side')
    assert.equal((await raind('network', 'ls', '-q', '--no-trunc', '-f', 'name=sid')).stdout, 'side\n')

    const unasked = await raind('container', 'prune')
    assert.deepEqual([unasked.code, /Give --force/.test(unasked.stderr)], [125, true])
    const pruned = await raind('container', 'prune', '-f', '--filter', 'label=tier')
    assert.match(pruned.stdout, /^container: one removed\nTotal reclaimed space: \d/)
    const rest = await raind('system', 'prune', '-f')
    assert.match(rest.stdout, /^container: two removed\nnetwork: side removed\nTotal reclaimed space: /)
    assert.match(
      (await raind('system', 'df')).stdout,
      /^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE\nImages +1 +0 .*\(100%\)\n/,
    )
    const info = await raind('info')
    assert.match(info.stdout, /^Containers: +0\nImages: +1\n/m)
    assert.match(info.stdout, /^Runtime c?run[c ]: .*used: /m)
    assert.equal(JSON.parse((await raind('system', 'info', '--json')).stdout).root, fixture.home.root)
  })

  test('mistakes are told apart by their exit codes, and with what to do', async () => {
    const unknown = await raind('contaner', 'ls')
    assert.equal(unknown.code, 125)
    assert.match(unknown.stderr, /did you mean "container ls"\?/)
    const missing = await raind('stop', 'nobody')
    assert.deepEqual([missing.code, missing.stderr], [1, 'raind: No such container: "nobody"\n'])
    const socket = await raind('--socket', '/nowhere/x.sock', 'ps')
    assert.equal(socket.code, 1)
    assert.match(socket.stderr, /it is not running\n {2}Start it with/)
    // The checkout may lie where a stranger may not go.
    const everywhere = mkdtempSync('/var/tmp/condenser-cli-')
    chmodSync(everywhere, 0o755)
    mount(projectRoot, everywhere, null, MS_BIND, null)
    const stranger = await raindAs(65_534, ['ps'], join(everywhere, 'bin/raind'))
    unmount(everywhere)
    rmdirSync(everywhere)
    assert.equal(stranger.code, 1)
    assert.match(stranger.stderr, /^raind: No permission to use .*condenser\.sock\n {2}Run the command with sudo\n$/)
    const flag = await raind('ps', '--al')
    assert.deepEqual([flag.code, /Unknown flag --al; did you mean --all\?/.test(flag.stderr)], [125, true])
  })
})
