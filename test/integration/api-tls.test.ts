import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readdir, readFile, stat, unlink } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import { notes } from '../../src/api/raind/route-notes.ts'
import { type Daemon, type Home, makeHome, projectRoot, startDaemon } from '../support/daemon.ts'
import { eventually } from '../support/eventually.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const run = promisify(execFile)
const listen = '127.0.0.1:7755'
const at = 'https://localhost:7755/v1'

let home: Home
let daemon: Daemon
const cert = (name: string) => join(home.certDir, name)

/** curl as the README has it, with the pair of that name. */
async function curl(pair: string, ...args: string[]): Promise<string> {
  const tls = ['--cacert', cert('raind.crt'), '--cert', cert(`${pair}.crt`), '--key', cert(`${pair}.key`)]
  return (await run('curl', ['-sS', ...tls, ...args])).stdout
}

/** The lines of the audit log from the `mark`th on. */
function audited(mark = 0): Record<string, unknown>[] {
  return daemon
    .log()
    .split('\n')
    .filter((line) => line.includes('"message":"audit"'))
    .map((line) => JSON.parse(line))
    .slice(mark)
    .map(({ time: _time, level: _level, message: _message, requestId: _id, ...rest }) => rest)
}

/** The same once there are so many: a line comes through a pipe of its own, after the answer. */
async function auditedOnce(mark: number, count: number): Promise<Record<string, unknown>[]> {
  return await eventually(
    () => audited(mark),
    ({ length }) => length >= count,
  )
}

before(async () => {
  await run('ip', ['link', 'add', 'up0', 'type', 'bridge'])
  await run('ip', ['address', 'add', '192.0.2.10/24', 'dev', 'up0'])
  await run('ip', ['link', 'set', 'up0', 'up'])
  await run('ip', ['route', 'add', 'default', 'via', '192.0.2.1'])
  home = await makeHome()
  daemon = await startDaemon(home, { listen })
})
after(async () => {
  await daemon[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

test('the first boot makes the four pairs, with their modes and what the contract says of them', async () => {
  const pairs = ['raind', 'raindClient', 'raindClientCA', 'raindHookClient']
  const files = (await readdir(home.certDir)).filter((name) => !name.startsWith('.'))
  assert.deepEqual(files.sort(), pairs.flatMap((name) => [`${name}.crt`, `${name}.key`]).sort())
  for (const name of pairs) {
    assert.equal((await stat(cert(`${name}.crt`))).mode & 0o7777, 0o644, name)
    assert.equal((await stat(cert(`${name}.key`))).mode & 0o7777, 0o600, name)
    assert.match(await readFile(cert(`${name}.key`), 'utf8'), /^-----BEGIN RSA PRIVATE KEY-----\n/)
  }
  const text = async (name: string) => (await run('openssl', ['x509', '-noout', '-text', '-in', cert(name)])).stdout
  const server = await text('raind.crt')
  for (const part of [
    /Signature Algorithm: sha256WithRSAEncryption/,
    /Issuer: CN ?= ?raind\n[\s\S]*Subject: CN ?= ?raind\n/,
    /Public-Key: \(4096 bit\)/,
    /Basic Constraints: critical\n\s+CA:TRUE/,
    /Key Usage: critical\n\s+Digital Signature, Key Encipherment, Certificate Sign\n/,
    /Extended Key Usage: *\n\s+TLS Web Server Authentication\n/,
    /DNS:localhost, IP Address:127.0.0.1, IP Address:192.0.2.10\n/,
  ]) {
    assert.match(server, part)
  }
  assert.match(await text('raindClientCA.crt'), /Key Usage: critical\n\s+Certificate Sign, CRL Sign\n/)
  assert.match(await text('raindClient.crt'), /Public-Key: \(3072 bit\)[\s\S]*URI:spiffe:\/\/raind\/cli\/admin\n/)
  assert.match(await text('raindHookClient.crt'), /URI:spiffe:\/\/raind\/droplet\/container\n/)
  const verify = ['verify', '-x509_strict', '-purpose']
  await run('openssl', [...verify, 'sslserver', '-CAfile', cert('raind.crt'), cert('raind.crt')])
  await run('openssl', [...verify, 'sslclient', '-CAfile', cert('raindClientCA.crt'), cert('raindClient.crt')])
})

test('curl with the client certificate has the API, by name and by address', async () => {
  const answer = JSON.parse(await curl('raindClient', `${at}/containers`))
  assert.deepEqual(answer, { status: 'success', message: 'retrieve container list success', data: null })
  assert.equal(JSON.parse(await curl('raindClient', 'https://127.0.0.1:7755/v1/health')).data.status, 'ok')
  const mark = audited().length
  const body = '{"image":"nowhere.invalid/x"}'
  const refused = JSON.parse(await curl('raindClient', '-X', 'DELETE', `${at}/images?secret=1`, '-d', body))
  assert.equal(refused.code, 'not_found')
  const who = { spiffeId: 'spiffe://raind/cli/admin', address: '127.0.0.1' }
  assert.deepEqual(await auditedOnce(mark, 1), [{ ...who, method: 'DELETE', status: 404, path: '/v1/images' }])
})

test('the audit log names who asks on the unix socket', async () => {
  const mark = audited().length
  await daemon.api.get('/v1/containers')
  await daemon.api.post('/v1/containers/nobody/actions/start', { tty: false })
  assert.deepEqual(await auditedOnce(mark, 1), [
    { uid: 0, pid: process.pid, method: 'POST', status: 404, path: '/v1/containers/nobody/actions/start' },
  ])
})

test('a certificate of another role hears 403 to everything, also to what is not there', async () => {
  const mark = audited().length
  const status = ['-w', ' %{http_code} %{content_type}']
  for (const path of ['/health', '/nowhere']) {
    assert.equal(await curl('raindHookClient', ...status, `${at}${path}`), 'forbidden 403 text/plain')
  }
  const common = { spiffeId: 'spiffe://raind/droplet/container', address: '127.0.0.1', method: 'GET', status: 403 }
  assert.deepEqual(await auditedOnce(mark, 2), [
    { ...common, path: '/v1/health' },
    { ...common, path: '/v1/nowhere' },
  ])
})

test('without a certificate, with a stranger’s, or with older TLS, the handshake fails and is audited', async () => {
  const mark = audited().length
  const handshake = async (...args: string[]) => {
    const command = ['s_client', '-connect', listen, '-CAfile', cert('raind.crt'), '-quiet', ...args]
    const { stdout } = await run('bash', [
      '-c',
      `printf 'GET /v1/health HTTP/1.0\\r\\n\\r\\n' | openssl "$@" 2>&1 || true`,
      'x',
      ...command,
    ])
    assert.doesNotMatch(stdout, /HTTP\/1/, stdout)
  }
  await handshake()
  await run('openssl', [
    ...[
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      join(home.run, 'x.key'),
      '-out',
      join(home.run, 'x.crt'),
    ],
    ...['-days', '1', '-subj', '/CN=raind client issuer', '-addext', 'subjectAltName=URI:spiffe://raind/cli/admin'],
  ])
  await handshake('-cert', join(home.run, 'x.crt'), '-key', join(home.run, 'x.key'))
  await handshake('-tls1_2', '-cert', cert('raindClient.crt'), '-key', cert('raindClient.key'))
  const reasons = (await auditedOnce(mark, 3)).map(({ refused }) => refused)
  assert.deepEqual(reasons, [
    'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'ERR_SSL_UNSUPPORTED_PROTOCOL',
  ])
  await assert.rejects(run('curl', ['-sS', 'http://localhost:7755/v1/health']), 'no plain HTTP either')
  assert.equal(JSON.parse(await curl('raindClient', `${at}/health`)).data.status, 'ok', 'and it goes on')
})

test('the command line client works over TLS, by flags and by environment, and says what is wrong', async () => {
  const raind = async (environment: Record<string, string>, ...args: string[]) => {
    const env = { ...process.env, ...environment }
    return run(join(projectRoot, 'bin/raind'), args, { env }).catch(
      (error) => error as { stdout: string; stderr: string },
    )
  }
  const files = ['--cacert', cert('raind.crt'), '--cert', cert('raindClient.crt'), '--key', cert('raindClient.key')]
  const [host, hook] = ['https://localhost:7755', cert('raindHookClient')]
  assert.match((await raind({}, '--host', host, ...files, 'version')).stdout, /^daemon +\d/m)
  assert.match((await raind({ CONDENSER_HOST: host }, 'ps', ...files)).stdout, /^CONTAINER ID/)
  const wrong = async (message: RegExp, ...args: string[]) => {
    const { stderr } = await raind({}, 'ps', '--host', host, ...files, ...args)
    assert.match(stderr, message)
  }
  await wrong(/403: forbidden/, '--cert', `${hook}.crt`, '--key', `${hook}.key`)
  await wrong(/certificate of https:\/\/localhost:7755 is not the one in/, '--cacert', cert('raindClientCA.crt'))
  await wrong(/does not accept the client certificate/, '--cert', cert('raind.crt'), '--key', cert('raind.key'))
  await wrong(/nobody listens there/, '--host', 'https://localhost:7')
  await wrong(/Cannot read \/nonexistent: it is not there/, '--key', '/nonexistent')
})

test('the API describes itself: each route is in the document, with what it does, and nothing else is', async () => {
  const document = JSON.parse(await curl('raindClient', `${at}/openapi.json`))
  assert.match(document.openapi, /^3\.1\./)
  const page = await curl('raindClient', `${at}/docs`)
  const ids = new Set<string>()
  const described = Object.keys(notes).map((route) => route.replaceAll(/:(\w+)/g, '{$1}'))
  for (const route of described) {
    const [method, path] = route.split(' ')
    assert.ok(document.paths[path!]?.[method!.toLowerCase()], `${route} is described in route-notes.ts, and gone`)
  }
  for (const [path, methods] of Object.entries<Record<string, { operationId: string; summary?: string }>>(
    document.paths,
  )) {
    for (const [method, { operationId, summary }] of Object.entries(methods)) {
      assert.ok(summary, `${method} ${path} has no line in src/api/raind/route-notes.ts`)
      assert.ok(!ids.has(operationId), `${operationId} is there twice`)
      ids.add(operationId)
      assert.ok(page.includes(`<b>${method.toUpperCase()}</b> ${path}<span>`), `${method} ${path} is on the page`)
    }
    // The router names the methods of a path to who tries another one.
    const { message } = (await daemon.api.send('PATCH', path.replaceAll(/\{\w+\}/g, 'x'))).json
    const known = message.split('it has ')[1].split(', ')
    assert.deepEqual(
      known.sort(),
      Object.keys(methods)
        .map((method) => method.toUpperCase())
        .sort(),
      path,
    )
  }
  assert.match(page, /^<!doctype html>/)
  assert.doesNotMatch(page, /<script|<link|src=|https?:/)
})

test('connections that say nothing hold nobody up, and end with the daemon', async () => {
  const silent = createConnection(7755, '127.0.0.1')
  await once(silent, 'connect')
  const [ca, certificate, key] = await Promise.all(
    ['raind.crt', 'raindClient.crt', 'raindClient.key'].map((name) => readFile(cert(name))),
  )
  const idle = connect({ port: 7755, servername: 'localhost', ca: ca!, cert: certificate!, key: key! })
  await once(idle, 'secureConnect')
  assert.equal(idle.getProtocol(), 'TLSv1.3')
  // Not by once(): it fails if the end comes as a reset.
  const closed = Promise.all(
    [silent, idle].map((socket) => {
      socket.on('error', () => {}).resume()
      return new Promise((resolve) => socket.once('close', resolve))
    }),
  )
  await daemon.stop()
  assert.deepEqual(await daemon.ended, { code: 0, signal: null })
  await closed
  daemon = await startDaemon(home, { listen })
})

test('a new address of the host renews the server’s certificate, and nothing else: at once and at boot', async () => {
  const names = ['raind.key', 'raindClient.crt', 'raindClient.key', 'raindClientCA.crt', 'raindClientCA.key']
  const others = () => Promise.all(names.map((name) => readFile(cert(name), 'utf8')))
  const before = await others()
  const move = async (from: string, to: string) => {
    await run('ip', ['address', 'replace', `${to}.7/24`, 'dev', 'up0'])
    await run('ip', ['route', 'replace', 'default', 'via', `${to}.1`])
    await run('ip', ['address', 'delete', `${from}/24`, 'dev', 'up0'])
  }
  const isFor = async (address: string) => {
    const { stdout } = await run('openssl', ['x509', '-noout', '-ext', 'subjectAltName', '-in', cert('raind.crt')])
    assert.match(stdout, new RegExp(`DNS:localhost, IP Address:127\\.0\\.0\\.1, IP Address:${address}\\n`))
    assert.equal(JSON.parse(await curl('raindClient', `${at}/health`)).data.status, 'ok')
    assert.deepEqual(await others(), before)
  }
  const renewals = () => daemon.log().split('"certificate renewed"').length
  const count = renewals()
  await move('192.0.2.10', '198.51.100')
  await eventually(() => renewals() !== count)
  // The file comes first, then the listener takes it.
  const health = () => curl('raindClient', `${at}/health`)
  await eventually(() => health().catch(() => ''))
  await isFor('198.51.100.7')

  await daemon.stop()
  await move('198.51.100.7', '203.0.113')
  daemon = await startDaemon(home, { listen })
  await isFor('203.0.113.7')
})

test('SIGHUP makes what is missing', async () => {
  const pair = ['crt', 'key'].map((kind) => cert(`raindHookClient.${kind}`))
  for (const file of pair) await unlink(file)
  process.kill(daemon.pid, 'SIGHUP')
  await eventually(() => pair.every((file) => existsSync(file)))
})

test('a file in the way, or an address that is taken, ends the boot with what to do', async () => {
  await using other = await makeHome()
  await assert.rejects(startDaemon({ ...other, certDir: home.certDir }, { listen }), (error: Error) => {
    assert.match(error.message, /Cannot listen on 127.0.0.1:7755: another program has this address; give --listen/)
    return true
  })
  await daemon.stop()
  await unlink(cert('raind.key'))
  const before = await readFile(cert('raind.crt'), 'utf8')
  await assert.rejects(startDaemon(home, { listen }), (error: Error) => {
    assert.match(error.message, /Cannot use .*raind.crt: its key, .*raind.key, is missing; move the pair/)
    return true
  })
  assert.equal(await readFile(cert('raind.crt'), 'utf8'), before)
})
