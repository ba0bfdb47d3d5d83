import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CAPABILITIES, parseCapability } from '../../model/capability.ts'
import { capabilitiesOfMask, containerCapabilities, DEFAULT_CAPABILITIES } from './capabilities.ts'

const all = CAPABILITIES

test('the defaults are the fourteen of docker', () => {
  assert.equal(DEFAULT_CAPABILITIES.length, 14)
  assert.deepEqual(containerCapabilities([], [], all).toSorted(), DEFAULT_CAPABILITIES.toSorted())
  assert.deepEqual(containerCapabilities([], [], ['CAP_CHOWN', 'CAP_SYS_ADMIN']), ['CAP_CHOWN'])
})

test('names come with and without prefix, in any case', () => {
  for (const text of ['net_admin', 'NET_ADMIN', 'CAP_NET_ADMIN', 'cap_net_admin']) {
    assert.equal(parseCapability(text), 'CAP_NET_ADMIN')
  }
  assert.ok(containerCapabilities(['net_admin'], [], all).includes('CAP_NET_ADMIN'))
  assert.ok(!containerCapabilities([], ['mknod'], all).includes('CAP_MKNOD'))
})

test('ALL adds all there is, or drops all but what is added', () => {
  assert.deepEqual(containerCapabilities(['ALL'], [], all), all)
  assert.deepEqual(containerCapabilities(['ALL'], ['CHOWN'], all), all.slice(1))
  assert.deepEqual(containerCapabilities(['all'], [], ['CAP_KILL']), ['CAP_KILL'])
  assert.deepEqual(containerCapabilities([], ['ALL'], all), [])
  assert.deepEqual(containerCapabilities(['KILL', 'kill'], ['ALL'], all), ['CAP_KILL'])
})

test('an unknown name is refused, with the one that was meant', () => {
  const message = (text: string) => ({ code: 'invalid_argument', message: text })
  assert.throws(
    () => containerCapabilities(['NET_ADMN'], [], all),
    message('Unknown capability "NET_ADMN": did you mean NET_ADMIN?'),
  )
  assert.throws(
    () => parseCapability('something else'),
    message('Unknown capability "something else": see capabilities(7), or use ALL'),
  )
  assert.throws(() => containerCapabilities(['SYS_ADMIN'], [], ['CAP_CHOWN']), { code: 'invalid_argument' })
})

test('any mask gives names in the order of their numbers', () => {
  assert.deepEqual(capabilitiesOfMask(0b1001n), ['CAP_CHOWN', 'CAP_FOWNER'])
  assert.equal(CAPABILITIES[21], 'CAP_SYS_ADMIN')
  assert.equal(CAPABILITIES[40], 'CAP_CHECKPOINT_RESTORE')
  assert.equal(CAPABILITIES.length, 41)
})

test('nobody gets more than is available, nor what was dropped and not added', () => {
  const some = fc.subarray([...all])
  fc.assert(
    fc.property(some, some, some, (available, add, drop) => {
      const asked = add.filter((name) => available.includes(name))
      const given = containerCapabilities(asked, drop, available)
      assert.ok(given.every((name) => available.includes(name)))
      assert.ok(asked.every((name) => given.includes(name)))
      assert.ok(given.every((name) => asked.includes(name) || !drop.includes(name)))
    }),
  )
})
