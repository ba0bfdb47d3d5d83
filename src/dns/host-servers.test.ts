import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostServers } from './host-servers.ts'

test('hostServers() are those of the host, in order, three at most', () => {
  const text =
    '# nameserver 192.0.2.9\nsearch x\nnameserver 192.0.2.1\n nameserver\t2001:db8::1 # x\nnameserver fe80::1%eth0\nnameserver 192.0.2.4\n'
  assert.deepEqual(hostServers(text, ''), ['192.0.2.1', '2001:db8::1', 'fe80::1%eth0'])
  assert.deepEqual(hostServers('', 'nameserver 192.0.2.1\n'), [])
  assert.deepEqual(hostServers('nameserver example.com\nnameserver\n', ''), [])
})

test('hostServers() looks behind systemd-resolved, not behind another server on loopback', () => {
  assert.deepEqual(hostServers('nameserver 127.0.0.53\n', 'nameserver 192.0.2.1\n'), ['192.0.2.1'])
  assert.deepEqual(hostServers('nameserver 127.0.0.53\n', '# none\n'), ['127.0.0.53'])
  assert.deepEqual(hostServers('nameserver 127.0.0.1\n', 'nameserver 192.0.2.1\n'), ['127.0.0.1'])
})
