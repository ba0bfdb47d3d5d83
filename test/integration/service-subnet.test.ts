import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { makeHome, startDaemon } from '../support/daemon.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const ip = (words: string) => execFileSync('ip', words.split(' '))
const SERVICES = ['--service-subnet', '10.99.0.0/16']

test('no subnet of Services that this host is in or has a route into, and no network in it', async () => {
  await using home = await makeHome()
  ip('link add up0 type bridge')
  ip('address add 10.99.3.4/24 dev up0')
  ip('link set up0 up')
  const overlap = /serviceSubnet 10\.99\.0\.0\/16 overlaps with 10\.99\.3\.0\/24 of this host: choose another one/
  await assert.rejects(startDaemon(home, { args: SERVICES }), overlap)
  ip('address del 10.99.3.4/24 dev up0')
  ip('address add 192.0.2.1/24 dev up0')
  ip('route add 10.99.7.0/24 via 192.0.2.2')
  await assert.rejects(startDaemon(home, { args: SERVICES }), /overlaps with 10\.99\.7\.0\/24 of this host/)
  ip('route del 10.99.7.0/24')
  ip('route add 10.0.0.0/8 via 192.0.2.2')
  for (const start of ['first', 'with what the first has left']) {
    await using daemon = await startDaemon(home, { args: SERVICES })
    const answer = await daemon.api.post('/v1/networks', { bridge: 'inside', subnet: '10.99.5.0/24' })
    assert.equal(answer.status, 409, start)
    assert.match(answer.json.message, /overlaps with the addresses of Services/)
  }
})
