import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hostnameFile, hostsFile, resolvConfFile } from './etc-files.ts'

test('hosts has loopback and the container', () => {
  const text = hostsFile([{ address: '10.166.0.2', names: ['web', 'abc'] }])
  assert.match(text, /^127\.0\.0\.1\tlocalhost\n/)
  assert.match(text, /\n10\.166\.0\.2\tweb abc\n$/)
  assert.equal(hostnameFile('web'), 'web\n')
})

test("keeps the host's servers and options", () => {
  const host =
    '# by hand\nnameserver 192.0.2.1\nnameserver 2001:db8::1\nsearch example.org\noptions ndots:2\nsortlist x\n'
  assert.equal(
    resolvConfFile(host),
    'nameserver 192.0.2.1\nnameserver 2001:db8::1\nsearch example.org\noptions ndots:2\n',
  )
})

test('leaves out what only the host can reach', () => {
  const host = 'nameserver 127.0.0.53\nnameserver ::1\nnameserver fe80::1%eth0\nnameserver 192.0.2.1\n'
  assert.equal(resolvConfFile(host), 'nameserver 192.0.2.1\n')
})

test("takes systemd-resolved's servers, then public ones", () => {
  const stub = 'nameserver 127.0.0.53\noptions edns0\nsearch lan\n'
  assert.equal(resolvConfFile(stub, 'nameserver 192.0.2.9\nsearch corp\n'), 'nameserver 192.0.2.9\nsearch corp\n')
  const fallback = 'nameserver 8.8.8.8\nnameserver 8.8.4.4\nsearch lan\noptions edns0\n'
  assert.equal(resolvConfFile(stub), fallback)
  assert.equal(resolvConfFile(stub, stub), fallback)
  assert.equal(resolvConfFile(''), 'nameserver 8.8.8.8\nnameserver 8.8.4.4\n')
})

test("what is given takes the place of the host's, part by part", () => {
  const host = 'nameserver 192.0.2.1\nsearch lan\noptions edns0\n'
  const none = { servers: [], search: [], options: [] }
  assert.equal(resolvConfFile(host, undefined, none), host)
  assert.equal(
    resolvConfFile(host, undefined, { ...none, servers: ['127.0.0.1', '::1'] }),
    'nameserver 127.0.0.1\nnameserver ::1\nsearch lan\noptions edns0\n',
  )
  assert.equal(
    resolvConfFile(host, undefined, { ...none, search: ['.'], options: ['ndots:2', 'rotate'] }),
    'nameserver 192.0.2.1\noptions ndots:2 rotate\n',
  )
})

test('there is always a server, and none on loopback', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.ipV4(), fc.ipV6())), (servers) => {
      const text = resolvConfFile(servers.map((server) => `nameserver ${server}`).join('\n'))
      assert.match(text, /^nameserver /m)
      assert.doesNotMatch(text, /^nameserver (127\.|::1$)/m)
    }),
  )
})
