import assert from 'node:assert/strict'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { chmod, copyFile, mkdtemp, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { jsonLogger } from '../../lib/log.ts'
import { ensurePair, type PairRequest, RENEW_BEFORE_MS } from './pair.ts'
import { CLIENT, CLIENT_CA, SERVER } from './profiles.ts'

const NOW = Date.UTC(2026, 5, 1)
// Half the bits of the real ones are made in a tenth of the time.
const [server, ca, client] = [SERVER, CLIENT_CA, CLIENT].map((profile) => ({ ...profile, keyBits: 2048 }))

async function scene(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'condenser-pair-'))
  t.after(() => rm(directory, { recursive: true }))
  const logged: string[] = []
  const log = jsonLogger('info', (line) => logged.push(line))
  const ensure = (request: Omit<PairRequest, 'directory' | 'log' | 'now'> & { now?: number }) =>
    ensurePair({ directory, now: NOW, log, ...request })
  return { directory, logged, ensure, path: (name: string) => join(directory, name) }
}

test('ensurePair() makes a pair for its owner only, and then leaves it alone', async (t) => {
  const { directory, ensure, path, logged } = await scene(t)
  const made = await ensure({ profile: server! })
  assert.deepEqual(await readdir(directory), ['raind.crt', 'raind.key'])
  const modes = await Promise.all(['raind.crt', 'raind.key'].map(async (name) => (await stat(path(name))).mode & 0o777))
  assert.deepEqual(modes, [0o644, 0o600])
  assert.match(made.keyPem, /^-----BEGIN RSA PRIVATE KEY-----\n/)
  const { certificate } = made
  assert.deepEqual(
    [certificate.subject, certificate.issuer, certificate.subjectAltName, certificate.ca],
    ['CN=raind', 'CN=raind', 'DNS:localhost, IP Address:127.0.0.1', true],
  )
  assert.equal(certificate.validFromDate.getTime(), NOW - 3_600_000)
  assert.equal((await ensure({ profile: server!, now: NOW + 1000 })).certificatePem, made.certificatePem)
  assert.equal(logged.length, 1)
})

test('ensurePair() renews what ends soon, does not hold yet, or lacks a name, with the same key', async (t) => {
  const { ensure } = await scene(t)
  const first = await ensure({ profile: server! })
  const end = first.certificate.validToDate.getTime()
  const same = await ensure({ profile: server!, now: end - RENEW_BEFORE_MS })
  assert.equal(same.certificatePem, first.certificatePem)
  const later = await ensure({ profile: server!, now: end - RENEW_BEFORE_MS + 1 })
  assert.notEqual(later.certificatePem, first.certificatePem)
  assert.equal(later.keyPem, first.keyPem)

  const earlier = await ensure({ profile: server!, now: NOW })
  assert(earlier.certificate.validFromDate.getTime() < NOW)

  const names = [{ kind: 'ip', text: '192.0.2.1' }] as const
  const moved = await ensure({ profile: server!, names })
  assert.equal(moved.certificate.subjectAltName, 'DNS:localhost, IP Address:127.0.0.1, IP Address:192.0.2.1')
  assert.equal(
    (await ensure({ profile: server! })).certificatePem,
    moved.certificatePem,
    'a name too many is no reason',
  )
})

test('ensurePair() signs for the issuer, whose renewal changes nothing', async (t) => {
  const { ensure, path } = await scene(t)
  const issuer = await ensure({ profile: ca! })
  const { certificate, certificatePem } = await ensure({ profile: client!, issuer })
  assert(certificate.checkIssued(issuer.certificate) && certificate.verify(issuer.certificate.publicKey))
  assert.deepEqual(
    [certificate.subject, certificate.issuer, certificate.subjectAltName, certificate.ca, certificate.keyUsage],
    ['CN=raind-client', 'CN=raind client issuer', 'URI:spiffe://raind/cli/admin', false, ['1.3.6.1.5.5.7.3.2']],
  )
  await unlink(path('raindClientCA.crt'))
  const renewed = await ensure({ profile: ca! })
  assert.notEqual(renewed.certificatePem, issuer.certificatePem)
  assert.equal((await ensure({ profile: client!, issuer: renewed })).certificatePem, certificatePem)
})

test('ensurePair() refuses what it has not made, says what is wrong, and touches nothing', async (t) => {
  const { directory, ensure, path } = await scene(t)
  const issuer = await ensure({ profile: ca! })
  await ensure({ profile: client!, issuer })
  const contents = async () =>
    Promise.all((await readdir(directory)).map(async (name) => [name, await readFile(path(name), 'utf8')]))
  const whole = await contents()
  const refused = async (message: RegExp, spoil: () => Promise<void>) => {
    await spoil()
    const before = await contents()
    await assert.rejects(ensure({ profile: client!, issuer }), { code: 'failed_precondition', message })
    assert.deepEqual(await contents(), before)
    for (const [name, content] of whole) await writeFile(path(name!), content!)
  }
  const key = path('raindClient.key')
  await refused(/raindClient.crt: it is not a certificate/, () => writeFile(path('raindClient.crt'), 'x'))
  await refused(/raindClient.key: it is not a private RSA key/, () => writeFile(key, 'x'))
  await refused(/its key, .*raindClient.key, is missing; move the pair/, () => unlink(key))
  await chmod(key, 0o600)
  await refused(/does not belong to the key beside it/, () => copyFile(path('raindClientCA.key'), key))
  await refused(/subject is not "CN=raind-client"/, async () => {
    for (const end of ['crt', 'key']) await copyFile(path(`raindClientCA.${end}`), path(`raindClient.${end}`))
  })
  await refused(/not a private RSA key \(it is of type ec/, async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  })
  await refused(/not signed by "raind client issuer"/, async () => {
    const other = await scene(t)
    await other.ensure({ profile: client!, issuer: await other.ensure({ profile: ca! }) })
    for (const end of ['crt', 'key']) await copyFile(other.path(`raindClient.${end}`), path(`raindClient.${end}`))
  })
  await refused(/others may read it \(mode 640\)/, () => chmod(key, 0o640))
  await chmod(key, 0o600)
  assert(new X509Certificate((await ensure({ profile: client!, issuer })).certificatePem))
})

test('ensurePair() finishes what was interrupted after the key', async (t) => {
  const { ensure, path } = await scene(t)
  const { keyPem } = await ensure({ profile: server! })
  await unlink(path('raind.crt'))
  assert.equal((await ensure({ profile: server! })).keyPem, keyPem)
})
