import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { watchHostAddresses } from '../../src/linux/rtnetlink.ts'
import { eventually } from '../support/eventually.ts'
import { run } from '../support/lan.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

test('addresses and default routes that change are told of as they do, and nothing else is', async () => {
  const target = new EventTarget()
  let told = 0
  const watch = watchHostAddresses(() => {
    told++
    target.dispatchEvent(new Event('change'))
  })
  const after = async (command: string) => {
    const change = once(target, 'change')
    run(undefined, command)
    await change
  }
  run(undefined, 'ip link add up0 type bridge')
  run(undefined, 'ip link set up0 up')
  await after('ip address add 192.0.2.10/24 dev up0')
  await after('ip route add default via 192.0.2.1')
  await after('ip route replace default via 192.0.2.2')

  const before = told
  run(undefined, 'ip route add 198.51.100.0/24 via 192.0.2.1')
  run(undefined, 'ip address add 2001:db8::1/64 dev up0 nodad')
  run(undefined, 'ip link add up1 type veth peer name up2')
  await sleep(100)
  assert.equal(told, before)

  // More than the socket holds, while nobody reads: lost, but not unnoticed.
  for (let index = 0; index < 5; index++) {
    const routes = Array.from({ length: 2000 }, (_, at) => `route add 10.${index}.${at >> 8}.${at & 255} via 192.0.2.1`)
    execFileSync('ip', ['-batch', '-'], { input: routes.join('\n') })
  }
  await eventually(() => told !== before)
  await after('ip route delete default')

  watch[Symbol.dispose]()
  watch[Symbol.dispose]()
  const last = told
  run(undefined, 'ip address add 192.0.2.11/24 dev up0')
  await sleep(100)
  assert.equal(told, last)
})
