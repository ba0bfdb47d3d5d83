import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { silentLogger } from '../../lib/log.ts'
import type { Caller } from '../http/caller.ts'
import type { ServerCredentials } from './certificates.ts'
import { TlsListener } from './listener.ts'
import { ensurePair, type Pair } from './pair.ts'
import { CLI_ROLE, CLIENT, CLIENT_CA, SERVER } from './profiles.ts'

interface Scene {
  readonly listener: TlsListener
  readonly credentials: ServerCredentials
  readonly callers: Caller[]
  readonly client: Pair
  /** A new certificate for the same key. */
  renewed(): Promise<ServerCredentials>
}

async function scene(t: TestContext): Promise<Scene> {
  const directory = await mkdtemp(join(tmpdir(), 'condenser-listener-'))
  t.after(() => rm(directory, { recursive: true }))
  const common = { directory, now: Date.now(), log: silentLogger }
  const small = { keyBits: 2048 }
  const issuer = await ensurePair({ ...common, profile: { ...CLIENT_CA, ...small } })
  const client = await ensurePair({ ...common, profile: { ...CLIENT, ...small }, issuer })
  const server = (address: string) =>
    ensurePair({ ...common, profile: { ...SERVER, ...small }, names: [{ kind: 'ip', text: address }] })
  const toCredentials = ({ certificatePem, keyPem }: Pair) => ({
    certificate: certificatePem,
    key: keyPem,
    clientCa: issuer.certificatePem,
  })
  const credentials = toCredentials(await server('192.0.2.1'))
  const callers: Caller[] = []
  const listener = await TlsListener.listen({
    host: '127.0.0.1',
    port: 0,
    credentials,
    role: CLI_ROLE,
    accept(connection, caller) {
      callers.push(caller)
      connection.end('hello')
    },
    auditLog: silentLogger,
  })
  t.after(() => listener[Symbol.dispose]())
  return { listener, credentials, callers, client, renewed: async () => toCredentials(await server('192.0.2.2')) }
}

/** The names of the certificate that a new connection shows. */
async function shownNames({ listener, client }: Scene, ca: string): Promise<string | undefined> {
  const { certificatePem: cert, keyPem: key } = client
  const connection = connect({ port: listener.port, host: '127.0.0.1', servername: 'localhost', ca, cert, key })
  await once(connection, 'secureConnect')
  const names = connection.getPeerX509Certificate()?.subjectAltName
  assert.equal(String((await once(connection, 'data'))[0]), 'hello')
  connection.destroy()
  return names
}

test('TlsListener shows the renewed certificate to new connections, and names who comes', async (t) => {
  const it = await scene(t)
  assert.match((await shownNames(it, it.credentials.certificate))!, /192\.0\.2\.1$/)
  const renewed = await it.renewed()
  it.listener.renew(renewed)
  assert.match((await shownNames(it, renewed.certificate))!, /192\.0\.2\.2$/)
  const caller = { who: { spiffeId: 'spiffe://raind/cli/admin', address: '127.0.0.1' }, admitted: true }
  assert.deepEqual(it.callers, [caller, caller])
})

test('TlsListener cuts off who has not finished the greeting when it closes, and listens no more', async (t) => {
  const { listener } = await scene(t)
  const { port } = listener
  const silent = createConnection(port, '127.0.0.1')
  await once(silent, 'connect')
  // The listener has it as soon as it has answered a later one.
  const nonsense = createConnection(port, '127.0.0.1').on('error', () => {})
  nonsense.end('GET / HTTP/1.1\r\n\r\n')
  await once(nonsense.resume(), 'close')
  const cut = once(silent.on('error', () => {}).resume(), 'close')
  listener[Symbol.dispose]()
  await cut
  const [error] = await once(createConnection(port, '127.0.0.1'), 'error')
  assert.equal(error.code, 'ECONNREFUSED')
})
