import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { after, afterEach, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { TarParser } from '../../src/lib/tar/parser.ts'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { directory, file, hardLink, symlink, type TarItem, tar } from '../support/tar-builder.ts'
import { busyboxImage } from '../support/test-image.ts'

runInOwnNamespaces(import.meta.filename)

const RAIND = join(import.meta.dirname, '../../bin/raind')
/** On the host; what is in it no container may reach. */
const OUTSIDE = '/var/tmp/condenser-copy-outside'
const FOREVER = ['sleep', '1000']

interface Read {
  readonly path: string
  readonly type: string
  readonly link: string
  readonly mode: string
  readonly owner: string
  readonly mtime: number
  readonly content: string
  readonly xattrs: Readonly<Record<string, string>>
}

const images = {
  hostile: busyboxImage({
    layers: [
      [
        { path: 'out', type: 'symlink', target: '../../../../../../../../var/tmp/condenser-copy-outside' },
        { path: 'absolute', type: 'symlink', target: OUTSIDE },
        { path: 'loop', type: 'symlink', target: 'loop' },
        { path: 'many/', type: 'directory', mode: 0o1711, uid: 3, gid: 4, mtime: 1_000_000 },
        { path: 'many/set', content: '#!', mode: 0o6755, uid: 1, gid: 2, mtime: 2_000_000 },
        { path: 'many/same', type: 'link', target: 'many/set' },
        { path: 'many/note', content: 'n', pax: { 'SCHILY.xattr.user.note': 'kept' } },
        { path: 'many/pipe', type: 'fifo' },
        { path: 'many/null', type: 'character', major: 1, minor: 3 },
        { path: 'many/to', type: 'symlink', target: '/etc/passwd' },
        { path: `many/${'long'.repeat(40)}`, content: 'long' },
      ],
    ],
  }),
}

describe('files of containers', () => {
  let fixture: DaemonFixture
  let image: string
  let scratch: string
  before(async () => {
    rmSync(OUTSIDE, { recursive: true, force: true })
    mkdirSync(OUTSIDE)
    writeFileSync(join(OUTSIDE, 'secret'), 'of the host')
    scratch = mkdtempSync('/var/tmp/condenser-copy-')
    fixture = await daemonFixture({ images })
    image = `${fixture.registry.host}/hostile`
    await fixture.daemon.api.post('/v1/images', { image })
  })
  afterEach(async () => {
    assert.deepEqual(readdirSync(OUTSIDE), ['secret'])
    assert.equal(readFileSync(join(OUTSIDE, 'secret'), 'utf8'), 'of the host')
    await fixture.clear()
    assert.deepEqual(
      readdirSync(join(fixture.home.root, 'l')).filter((name) => name.startsWith('.view')),
      [],
    )
  })
  after(async () => {
    await fixture[Symbol.asyncDispose]()
    for (const path of [OUTSIDE, scratch]) rmSync(path, { recursive: true, force: true })
  })

  const api = () => fixture.daemon.api
  const create = async (body: object = {}) => {
    const created = await api().post('/v1/containers', { image, command: FOREVER, ...body })
    assert.equal(created.status, 200, created.text)
    return created.json.data.id as string
  }
  const run = (body: object = {}) => runContainer(fixture, { image, command: FOREVER, ...body })
  const urlOf = (ref: string, query: Record<string, string>, noun = 'archive') =>
    `/v1/containers/${ref}/${noun}?${new URLSearchParams(query)}`
  const put = (ref: string, path: string, items: readonly TarItem[] | Buffer, query: Record<string, string> = {}) =>
    api().send('PUT', urlOf(ref, { path, ...query }), Buffer.isBuffer(items) ? items : tar(items))
  const sh = async (ref: string, script: string) =>
    (await api().post(`/v1/containers/${ref}/actions/exec`, { command: ['sh', '-c', script], wait: true })).json.data
      .stdout as string
  const open = async (path: string) => {
    const outgoing = request({ socketPath: join(fixture.home.run, 'condenser.sock'), path, agent: false })
    outgoing.end()
    const [answer] = await once(outgoing, 'response')
    return { outgoing, answer }
  }
  const get = async (ref: string, path: string, query: Record<string, string> = {}, noun = 'archive') => {
    const { answer } = await open(urlOf(ref, { path, ...query }, noun))
    const bytes = await buffer(answer)
    assert.equal(answer.statusCode, 200, bytes.toString())
    return read(bytes)
  }
  const stat = (ref: string, path: string, query: Record<string, string> = {}) =>
    api().get(urlOf(ref, { path, ...query }, 'stat'))

  async function raind(args: readonly string[], input?: Buffer) {
    const env = { ...process.env, CONDENSER_SOCKET: join(fixture.home.run, 'condenser.sock') }
    const child = spawn(RAIND, args, { env, cwd: scratch })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    const [stdout, stderr, [code]] = await Promise.all([buffer(child.stdout), text(child.stderr), once(child, 'close')])
    return { code, stdout, stderr }
  }

  for (const running of [true, false])
    test(`${running ? 'a running' : 'a stopped'} container: what goes in comes out, with all that a tar can say`, async () => {
      const id = await (running ? run : create)({ mount: ['data:/data', '/new/place'], tmpfs: ['/fast'] })
      const found = await get(id, '/many')
      const plain = found.map(({ path, type, link, mode, owner }) => [path, type, link, mode, owner].join(' ').trim())
      assert.deepEqual(
        plain.map((line) => line.replace(/many\/(?:same|set) (link|file) (many\/(?:same|set))?/, 'many/? ')).toSorted(),
        [
          'many/ directory  1711 3:4',
          'many/?  6755 1:2',
          'many/?  6755 1:2',
          `many/${'long'.repeat(40)} file  644 0:0`,
          'many/note file  644 0:0',
          'many/null character  644 0:0',
          'many/pipe fifo  644 0:0',
          'many/to symlink /etc/passwd 777 0:0',
        ].toSorted(),
      )
      assert.deepEqual(found.find(({ path }) => path === 'many/note')?.xattrs, { 'user.note': 'kept' })
      assert.equal(found[0]!.mtime, 1_000_000)

      const items: readonly TarItem[] = [
        directory('d/', { mode: 0o2710, uid: 5, gid: 6, mtime: 3_000_000 }),
        file('d/f', 'content', { mode: 0o4750, uid: 7, gid: 8, mtime: 4_000_000 }),
        hardLink('d/g', 'd/f'),
        symlink('d/l', '../x', { uid: 9, gid: 10 }),
        { path: 'd/p', type: '6', mode: 0o600 },
        file('d/x', 'x', { pax: { 'SCHILY.xattr.user.a': 'b' } }),
        file('implied/by/this', 'i'),
      ]
      for (const [path, bytes] of [
        ['/data', tar(items)],
        ['/new/place/.', gzipSync(tar(items))],
      ] as const) {
        const answer = await put(id, path, bytes)
        assert.equal(answer.status, 200, answer.text)
        const back = await get(id, `${path.replace('/.', '')}/d/.`)
        assert.deepEqual(
          back.map((one) => [one.path, one.type, one.mode, one.owner, one.content]).toSorted(),
          [
            ['./', 'directory', '2710', '5:6', ''],
            ...(back.find((one) => one.path === './f')?.type === 'file'
              ? [
                  ['./f', 'file', '4750', '7:8', 'content'],
                  ['./g', 'link', '4750', '7:8', ''],
                ]
              : [
                  ['./f', 'link', '4750', '7:8', ''],
                  ['./g', 'file', '4750', '7:8', 'content'],
                ]),
            ['./l', 'symlink', '777', '9:10', ''],
            ['./p', 'fifo', '600', '0:0', ''],
            ['./x', 'file', '644', '0:0', 'x'],
          ].toSorted(),
        )
        assert.equal(back[0]!.mtime, 3_000_000)
      }
      assert.deepEqual(
        (await get(id, 'data/implied/by/this')).map(({ path, content }) => [path, content]),
        [['this', 'i']],
      )
      if (running) {
        assert.equal((await put(id, '/fast', [file('t', 'on a tmpfs')])).status, 200)
        assert.equal(await sh(id, 'cat /fast/t /data/implied/by/this'), 'on a tmpfsi')
      }
      // What was written to a container that did not run is there when it does.
      if (!running) {
        await api().post(`/v1/containers/${id}/actions/start`, {})
        assert.equal(await sh(id, 'cat /new/place/d/f'), 'content')
      }
    })

  test('what is told of a path, and how a path is understood', async () => {
    const id = await run()
    const one = (await stat(id, '/many/to')).json.data
    assert.deepEqual([one.name, one.mode & 0o170000, one.linkTarget], ['to', 0o120000, '/etc/passwd'])
    assert.equal((await stat(id, '/many/to', { follow: 'true' })).json.data.mode & 0o170000, 0o100000)
    assert.deepEqual((await stat(id, '/absolute')).json.data.linkTarget, OUTSIDE)
    assert.equal((await stat(id, 'many/../many/./note')).json.data.name, 'note')
    assert.equal((await stat(id, '/../../..')).json.data.name, '.')
    for (const [path, status] of [
      ['/nope', 404],
      ['/many/note/x', 404],
      ['/out/secret', 404],
      ['/absolute/', 404],
      ['/many/note/', 400],
      ['/loop/', 400],
      ['', 400],
    ] as const)
      assert.equal((await stat(id, path)).status, status, path)
    assert.equal((await stat('nobody', '/')).status, 404)

    const head = await api().send('HEAD', urlOf(id, { path: '/many/note' }))
    assert.equal(head.status, 200)
    const told = JSON.parse(Buffer.from(String(head.headers['x-raind-path-stat']), 'base64').toString())
    assert.deepEqual(told, (await stat(id, '/many/note')).json.data)
    assert.deepEqual(
      (await get(id, '/many/to')).map(({ path, link }) => [path, link]),
      [['to', '/etc/passwd']],
    )
    assert.match((await get(id, '/many/to', { follow: 'true' }))[0]!.content, /^root:x:0:0/)
  })

  test('nothing waits: FIFOs, devices, sockets and views of the kernel', async () => {
    const id = await run({ command: ['sh', '-c', 'nc -lU /tmp/socket & mkfifo /tmp/pipe; sleep 1000'] })
    await sh(id, 'while ! [ -S /tmp/socket -o -p /tmp/pipe ]; do :; done')
    assert.deepEqual(
      (await get(id, '/tmp/pipe')).map(({ type }) => type),
      ['fifo'],
    )
    assert.deepEqual(
      (await get(id, '/dev/zero')).map(({ type }) => type),
      ['character'],
    )
    for (const path of ['/proc', '/proc/kmsg', '/sys/kernel']) {
      const { answer } = await open(urlOf(id, { path }))
      assert.equal(answer.statusCode, 400, path)
      assert.match(await text(answer), /view of the kernel/)
    }
    const all = (await get(id, '/')).map(({ path }) => path)
    assert.ok(all.includes('./tmp/pipe') && all.includes('./proc/') && all.includes('./dev/null'))
    assert.deepEqual(
      all.filter((path) => /^\.\/(proc|sys)\/./.test(path) || path.endsWith('socket')),
      [],
    )
  })

  test('no archive leads out of the root', async () => {
    const id = await run()
    for (const items of [
      [file('../escape', 'x')],
      [file('a/../../escape', 'x')],
      [hardLink('passwd', '../../etc/passwd')],
      [symlink('link', '/many/note'), file('link/x', 'x')],
    ]) {
      const answer = await put(id, '/tmp', items)
      assert.equal(answer.status, 400, answer.text)
    }
    for (const path of ['/out', '/absolute', '/loop', '/many/note', '/nope']) {
      assert.ok([400, 404].includes((await put(id, path, [file('x', 'x')])).status), path)
    }
    // Through links, it is the container's own directory of that name.
    await sh(id, `mkdir -p ${OUTSIDE}`)
    const through: readonly TarItem[] = [
      file('/absolute/one', '1'),
      symlink('made', OUTSIDE),
      file('made/two', '2'),
      hardLink('three', 'out/two'),
      file('out/three', '3'),
    ]
    assert.equal((await put(id, '/', through)).status, 200)
    assert.equal(await sh(id, `cd ${OUTSIDE}; cat one two three`), '123')
    // A link is replaced, never written through.
    await sh(id, 'ln -s /etc/passwd /tmp/victim')
    assert.equal((await put(id, '/tmp', [file('victim', 'mine')])).status, 200)
    assert.match(await sh(id, 'cat /tmp/victim; head -n1 /etc/passwd'), /^mineroot:/)
  })

  test('directories and other things replace each other only if allowed', async () => {
    const id = await run()
    await sh(id, 'mkdir -p /tmp/d/e; chmod 700 /tmp/d; echo f > /tmp/f')
    const keep = { noOverwriteDirNonDir: 'true' }
    assert.equal((await put(id, '/tmp', [file('d', 'x')], keep)).status, 409)
    assert.equal((await put(id, '/tmp', [directory('f/')], keep)).status, 409)
    assert.equal((await put(id, '/tmp', [directory('d/'), file('d/in', 'x')], keep)).status, 200)
    assert.equal(await sh(id, 'cat /tmp/f; stat -c %a /tmp/d; ls /tmp/d'), 'f\n700\ne\nin\n')
    assert.equal((await put(id, '/tmp', [file('d', 'now a file'), directory('f/')])).status, 200)
    assert.equal(await sh(id, 'cat /tmp/d; stat -c %F /tmp/f'), 'now a filedirectory\n')
  })

  test('what is read-only stays as it is, whether it runs or not', async () => {
    mkdirSync(join(scratch, 'host'), { recursive: true })
    const body = { readOnlyRootfs: true, readOnly: true, mount: ['data:/data', `${join(scratch, 'host')}:/host:ro`] }
    delete (body as { readOnlyRootfs?: boolean }).readOnlyRootfs
    for (const id of [await run(body), await create(body)]) {
      for (const path of ['/', '/host', '/tmp']) {
        const answer = await put(id, path, [file('x', 'x')])
        assert.equal(answer.status, 409, `${path}: ${answer.text}`)
        assert.match(answer.json.message, /it is read-only/)
      }
      assert.equal((await put(id, '/data', [file('x', 'x')])).status, 200)
    }
    assert.deepEqual(readdirSync(join(scratch, 'host')), [])
  })

  test('a process that swaps directories for symlinks meanwhile gets nowhere', async () => {
    const swap = `mkdir -p /race/d ${OUTSIDE}; echo inside > /race/d/f; cd /race
      while :; do mv d e; ln -s ${OUTSIDE} d; rm d; ln -s /out d; rm d; mv e d; done`
    const id = await run({ command: ['sh', '-c', swap] })
    await sh(id, 'while ! [ -e /race ]; do :; done')
    const mine = [directory('d/', { mode: 0o777 }), file('d/planted', 'planted'), directory('d/sub/', { mode: 0o707 })]
    const statuses = new Set<number>()
    for (let round = 0; round < 60; round++) {
      const [written, { answer }] = await Promise.all([put(id, '/race', mine), open(urlOf(id, { path: '/race' }))])
      statuses.add(written.status)
      const bytes = await buffer(answer)
      assert.ok(!bytes.includes('of the host'), 'what is outside was read')
      if (answer.statusCode === 200) read(bytes)
    }
    assert.ok(statuses.has(200), [...statuses].join())
    assert.equal((await api().get('/v1/health')).status, 200)
  })

  test('a client that is slow grows nothing and is not cut; one that goes stops it', async () => {
    const id = await run()
    await sh(id, 'dd if=/dev/zero of=/big bs=1M count=300')
    const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${fixture.daemon.pid}/status`, 'utf8'))![1])
    await get(id, '/many')
    const before = rss()
    const { answer } = await open(urlOf(id, { path: '/big' }))
    await once(answer, 'readable')
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const grown = rss() - before
    assert.ok(grown < 64 * 1024, `grown by ${grown} kB`)
    let length = 0
    for await (const chunk of answer) length += chunk.length
    const heads = length - 300 * 2 ** 20
    assert.ok(heads >= 1536 && heads <= 4096, `${length} bytes`)

    const leaver = await open(urlOf(id, { path: '/big' }))
    await once(leaver.answer, 'readable')
    leaver.outgoing.destroy()
    const descriptors = () => readdirSync(`/proc/${fixture.daemon.pid}/fd`).length
    const few = descriptors()
    for (let round = 0; round < 5; round++) {
      const other = await open(urlOf(id, { path: '/big' }))
      await once(other.answer, 'readable')
      other.outgoing.destroy()
    }
    await eventually(descriptors, (count) => count <= few)
  })

  test('a client that goes while it writes leaves no part of a file, and lets the container be started', async () => {
    const id = await create()
    const outgoing = request({
      socketPath: join(fixture.home.run, 'condenser.sock'),
      method: 'PUT',
      path: urlOf(id, { path: '/tmp' }),
      agent: false,
    })
    outgoing.on('error', () => {})
    const whole = tar([file('first', 'first'), file('half', Buffer.alloc(2 ** 20, 'x'))])
    outgoing.write(whole.subarray(0, 2 ** 19))
    const first = join(fixture.home.root, 'containers', id, 'upper/tmp/first')
    await eventually(() => existsSync(first))
    const started = api().post(`/v1/containers/${id}/actions/start`, {})
    // It waits when a later request has been answered.
    await api().get('/v1/health')
    outgoing.destroy()
    assert.equal((await started).status, 200)
    assert.equal(await sh(id, 'ls /tmp'), 'first\n')
    assert.equal((await put(id, '/tmp', whole.subarray(0, 2 ** 19))).status, 400, 'an archive that is cut short')
    assert.equal(await sh(id, 'ls /tmp'), 'first\n')
  })

  test('a full disk is told, and leaves no part of a file', async () => {
    const id = await run({ tmpfs: ['/small:size=1m'] })
    const answer = await put(id, '/small', [file('fits', 'x'), file('large', Buffer.alloc(2 ** 21))])
    assert.equal(answer.status, 507, answer.text)
    assert.match(answer.json.message, /no space left on the disk/)
    assert.equal(await sh(id, 'ls /small'), 'fits\n')
  })

  test('an export has the root filesystem, and nothing of what is mounted', async () => {
    const id = await run({ mount: ['data:/data'], tmpfs: ['/fast'] })
    await sh(id, 'echo d > /data/d; echo w > /written; echo f > /fast/f; rm /etc/group')
    for (const state of ['running', 'stopped']) {
      const { answer } = await open(`/v1/containers/${id}/export`)
      const paths = read(await buffer(answer)).map(({ path }) => path)
      for (const path of ['written', 'bin/busybox', 'data/', 'fast/', 'proc/']) {
        assert.ok(paths.includes(path), `${path} while it is ${state}`)
      }
      for (const path of ['data/d', 'fast/f', 'etc/group', './', '']) assert.ok(!paths.includes(path), path)
      await api().post(`/v1/containers/${id}/actions/stop?signal=KILL`)
    }
  })

  test('the processes of a container', async () => {
    const id = await run({ command: ['sh', '-c', 'sleep 1001 & sleep 1002'], user: '1:1' })
    await api().post(`/v1/containers/${id}/actions/exec`, { command: ['sleep', '1003'] })
    const expected = ['sleep 1001', 'sleep 1002', 'sleep 1003']
    const commands = () => processes.map((row) => row.at(-1)).toSorted()
    let processes: string[][] = []
    // What has just been forked is still called what forked it.
    for (let tries = 0; commands().join() !== expected.join() && tries < 600; tries++) {
      if (tries > 0) await new Promise((resolve) => setTimeout(resolve, 50))
      processes = (await api().get(`/v1/containers/${id}/top`)).json.data.processes
    }
    assert.deepEqual(commands(), expected)
    const { titles } = (await api().get(`/v1/containers/${id}/top`)).json.data
    assert.deepEqual(titles, ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'])
    const { pid } = (await api().get(`/v1/containers/${id}`)).json.data
    const first = processes.find((row) => row[1] === String(pid))!
    assert.equal(first[0], execFileSync('id', ['-nu', '1'], { encoding: 'utf8' }).trim())
    assert.match(first.slice(3, 7).join(' '), /^\d+ \d\d:\d\d \? 00:00:00$/)
    await api().post(`/v1/containers/${id}/actions/stop?signal=KILL`)
    assert.equal((await api().get(`/v1/containers/${id}/top`)).status, 409)
  })

  test('the commands: cp, export and top', async () => {
    const id = await run({ mount: ['data:/data'] })
    mkdirSync(join(scratch, 'dir/sub'), { recursive: true })
    writeFileSync(join(scratch, 'dir/sub/f'), 'f', { mode: 0o640 })
    symlinkSync('sub/f', join(scratch, 'dir/link'))
    execFileSync('chown', ['5:6', join(scratch, 'dir/sub/f')])
    const ok = async (...args: string[]) => {
      const { code, stdout, stderr } = await raind(args)
      assert.equal(code, 0, stderr)
      return stdout.toString()
    }
    await ok('cp', 'dir', `${id}:/tmp/`)
    await ok('cp', 'dir/.', `${id}:/data`)
    await ok('cp', '-a', 'dir/sub/f', `${id}:/data/named`)
    assert.equal(
      await sh(id, 'cd /; stat -c "%n %a %u:%g" tmp/dir/sub/f data/sub/f data/named; readlink /data/link'),
      'tmp/dir/sub/f 640 0:0\ndata/sub/f 640 0:0\ndata/named 640 5:6\nsub/f\n',
    )
    await ok('cp', `${id}:/data`, 'back')
    await ok('cp', `${id}:/data/named`, 'back/sub')
    await ok('cp', '-L', `${id}:/data/link`, 'back/followed')
    assert.deepEqual(readdirSync(join(scratch, 'back'), { recursive: true }).toSorted(), [
      'followed',
      'link',
      'named',
      'sub',
      'sub/f',
      'sub/named',
    ])
    assert.equal(readFileSync(join(scratch, 'back/followed'), 'utf8'), 'f')
    assert.equal((await raind(['cp', '-', `${id}:/tmp`], tar([file('piped', 'p', { uid: 11 })]))).code, 0)
    const piped = read((await raind(['cp', `${id}:/tmp/piped`, '-'])).stdout)
    assert.deepEqual(
      piped.map(({ path, owner, content }) => [path, owner, content]),
      [['piped', '11:0', 'p']],
    )
    assert.equal(JSON.parse(await ok('--json', 'cp', 'dir/sub/f', `${id}:/tmp`)).bytes, 512 * 6)
    assert.ok(read((await raind(['export', id])).stdout).some(({ path }) => path === 'tmp/piped'))
    assert.match(await ok('top', id), /^UID +PID .*\n.* sleep 1000\n$/)
    assert.match(await ok('top', '-q', id), /^\d+\n$/)

    // What a container has made on the host's own ground is followed nowhere.
    symlinkSync(OUTSIDE, join(scratch, 'trap'))
    await sh(id, 'mkdir -p /t/trap; echo x > /t/trap/x')
    for (const [args, message] of [
      [['cp', `${id}:/t/.`, '.'], /it is there, and is none/],
      [['cp', 'dir', `${id}:/data/named`], /it is a file/],
      [['cp', 'dir/sub/f', `${id}:/data/named/`], /is not a directory/],
      [['cp', 'dir/sub/f', `${id}:/nope/x`], /No such file or directory in the container/],
      [['cp', `${id}:/nope`, '.'], /No such file or directory in the container/],
      [['cp', 'nope', `${id}:/`], /No such file or directory on this host/],
      [['cp', 'dir', 'other'], /wants a container/],
      [['cp', `${id}:/a`, `${id}:/b`], /not between containers/],
    ] as const) {
      const { code, stderr } = await raind(args)
      assert.notEqual(code, 0, args.join(' '))
      assert.match(stderr, message)
    }
  })
})

function read(bytes: Buffer): Read[] {
  const entries: (Read & { parts: Buffer[] })[] = []
  const parser = new TarParser({
    entry: ({ path, type, linkPath, mode, uid, gid, mtime, xattrs }) =>
      entries.push({
        path,
        type,
        link: linkPath,
        mode: mode.toString(8),
        owner: `${uid}:${gid}`,
        mtime: mtime.seconds,
        content: '',
        xattrs: Object.fromEntries([...(xattrs ?? [])].map(([name, value]) => [name, value.toString()])),
        parts: [],
      }),
    data: (chunk, start, end) => entries.at(-1)!.parts.push(Buffer.from(chunk.subarray(start, end))),
    endEntry: () => {},
  })
  parser.push(bytes)
  parser.finish()
  return entries.map(({ parts, ...entry }) => ({ ...entry, content: Buffer.concat(parts).toString() }))
}
