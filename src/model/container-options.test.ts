import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDevice } from './device.ts'
import { parseExtraHost, validateDns } from './dns.ts'
import { joinedContainer, parseNamespaceMode } from './namespace-mode.ts'
import { parseSecurityOptions } from './security.ts'
import { validateSysctls } from './sysctl.ts'
import { parseUlimit } from './ulimit.ts'

const refused = { code: 'invalid_argument' } as const

test('ulimits', () => {
  assert.deepEqual(parseUlimit('nofile=1024'), { name: 'nofile', soft: 1024, hard: 1024 })
  assert.deepEqual(parseUlimit('core=0:-1'), { name: 'core', soft: 0, hard: -1 })
  assert.deepEqual(parseUlimit('stack=-1'), { name: 'stack', soft: -1, hard: -1 })
  for (const text of [
    '',
    'nofile',
    'nofile=',
    'nofile=x',
    'nofile=1:2:3',
    'nofile=-2',
    'nofile=-1:5',
    'NOFILE=100',
    'nofile=63:100',
  ]) {
    assert.throws(() => parseUlimit(text), refused, text)
  }
})

test('sysctls: only those that each container has for itself', () => {
  validateSysctls({ 'net.ipv4.conf.eth0.rp_filter': '1', 'kernel.sem': '1 2 3 4', 'fs.mqueue.queues_max': '5' })
  for (const name of ['kernel.panic', 'vm.swappiness', 'fs.file-max', 'net', '../x', 'net/ipv4/x', 'net.ipv4..x', '']) {
    assert.throws(() => validateSysctls({ [name]: '1' }), refused, name)
  }
  assert.throws(() => validateSysctls({ 'net.core.somaxconn': '1\n2' }), refused)
})

test('devices', () => {
  assert.deepEqual(parseDevice('/dev/fuse'), { source: '/dev/fuse', destination: '/dev/fuse', access: 'rwm' })
  assert.deepEqual(parseDevice('/dev/fuse:r'), { source: '/dev/fuse', destination: '/dev/fuse', access: 'r' })
  assert.deepEqual(parseDevice('/dev/a:/dev/b:rw'), { source: '/dev/a', destination: '/dev/b', access: 'rw' })
  for (const text of ['', 'fuse', '/dev/a:b', '/dev/a:/dev/b:x', '/dev/a:/dev/b:rr', '/a:/b:/c:r', '/dev/../x']) {
    assert.throws(() => parseDevice(text), refused, text)
  }
})

test('namespace modes', () => {
  assert.equal(parseNamespaceMode('pid', 'private'), undefined)
  assert.equal(parseNamespaceMode('ipc', 'shareable'), 'shareable')
  assert.equal(joinedContainer(parseNamespaceMode('uts', 'container:web')), 'web')
  assert.equal(joinedContainer('host'), undefined)
  for (const text of ['shareable', 'container:', 'none', 'Host']) {
    assert.throws(() => parseNamespaceMode('pid', text), refused, text)
  }
})

test('security options', () => {
  const seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO' }] }
  assert.deepEqual(parseSecurityOptions(['no-new-privileges', `seccomp=${JSON.stringify(seccomp)}`, 'apparmor=a:b']), {
    noNewPrivileges: true,
    seccomp,
    apparmor: 'a:b',
  })
  assert.deepEqual(parseSecurityOptions(['no-new-privileges:false', 'seccomp:unconfined']), {
    noNewPrivileges: false,
    seccomp: 'unconfined',
  })
  const faulty = ['', 'x', 'seccomp', 'seccomp={', 'no-new-privileges=maybe', 'apparmor=', 'systempaths=x']
  for (const text of faulty) assert.throws(() => parseSecurityOptions([text]), refused, text)
  const unknownAction = JSON.stringify({ defaultAction: 'SCMP_ACT_FLY' })
  assert.throws(() => parseSecurityOptions([`seccomp=${unknownAction}`]), { ...refused, message: /must be one of/ })
})

test('DNS and hosts', () => {
  const valid = { servers: ['192.0.2.1', '::1'], search: ['a.example.', '.'], options: ['ndots:2'] }
  validateDns(valid)
  for (const change of [
    { servers: ['x'] },
    { search: ['a b'] },
    { search: ['a\nnameserver 1'] },
    { options: ['a\n'] },
  ]) {
    assert.throws(() => validateDns({ ...valid, ...change }), refused)
  }
  assert.deepEqual(parseExtraHost('db:10.0.0.5'), { name: 'db', address: '10.0.0.5' })
  assert.deepEqual(parseExtraHost('db=[::1]'), { name: 'db', address: '::1' })
  assert.deepEqual(parseExtraHost('host:host-gateway'), { name: 'host', address: 'host-gateway' })
  for (const text of ['db', ':1.2.3.4', 'db:', 'a b:1.2.3.4', 'db:1.2.3', 'db:fe80::1%eth0', 'db:1.2.3.4\nx']) {
    assert.throws(() => parseExtraHost(text), refused, text)
  }
})
