import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type EndpointChoice, findEndpoint } from './endpoint.ts'

test('findEndpoint() takes a flag before the environment, and the socket by default', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'condenser-endpoint-'))
  t.after(() => rm(directory, { recursive: true }))
  const file = join(directory, 'x.pem')
  await writeFile(file, '')
  const name = (choice: Partial<EndpointChoice>) =>
    findEndpoint({ cacert: file, cert: file, key: file, environment: {}, ...choice }).name
  assert.equal(name({}), '/run/condenser/condenser.sock')
  assert.equal(name({ environment: { CONDENSER_SOCKET: '/a' } }), '/a')
  assert.equal(name({ environment: { CONDENSER_SOCKET: '/a', CONDENSER_HOST: 'unix:///b' } }), '/b')
  assert.equal(name({ socket: '/c', environment: { CONDENSER_HOST: 'unix:///b' } }), '/c')
  assert.equal(name({ environment: { CONDENSER_HOST: '' } }), '/run/condenser/condenser.sock')
  assert.equal(name({ host: 'https://localhost' }), 'https://localhost:7755')
  assert.equal(name({ host: 'https://192.0.2.1:8443' }), 'https://192.0.2.1:8443')
  for (const host of ['localhost:7755', 'http://localhost', 'https://h/v1', 'https://u@h', '']) {
    assert.throws(() => name({ host }), /is not an address of the daemon/, host)
  }
  assert.throws(() => name({ host: 'https://h', socket: '/c' }), /give one of them/)
  const missing = join(directory, 'none')
  assert.throws(() => name({ host: 'https://h', key: missing }), /Cannot read .*none: it is not there/)
})
