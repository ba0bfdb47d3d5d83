import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertServiceRules, localPorts, type ServiceRule } from './service-rule.ts'

const network = { bridge: 'raind0', subnet: '10.96.0.0/16' }
const web: ServiceRule = {
  uid: 'web',
  namespace: 'default',
  name: 'web',
  portName: 'http',
  protocol: 'tcp',
  clusterIp: '10.96.0.5',
  port: 80,
  nodePort: 30080,
  endpoints: [{ address: '10.166.0.1', port: 8080 }],
}

test('rules that iptables could not take, or that would catch what is none of theirs, are refused', () => {
  assertServiceRules([web, { ...web, portName: '', port: 81 }, { ...web, protocol: 'udp' }], network)
  const bad: readonly (readonly [Partial<ServiceRule>, RegExp])[] = [
    [{ name: 'a"\n-A INPUT -j DROP' }, /a name that is none/],
    [{ namespace: 'a'.repeat(65) }, /a name that is none/],
    [{ portName: 'a b' }, /a name that is none/],
    [{ protocol: 'sctp' as 'tcp' }, /protocol is "sctp"/],
    [{ clusterIp: '10.97.0.1' }, /10\.97\.0\.1 is not in 10\.96\.0\.0\/16/],
    [{ clusterIp: 'fd00::1' }, /fd00::1 is not in/],
    [{ port: 0 }, /a port is none/],
    [{ nodePort: 65_536 }, /a port is none/],
    [{ hostPort: 1.5 }, /a port is none/],
    [{ endpoints: [{ address: '10.166.0.1', port: 0 }] }, /10\.166\.0\.1:0 cannot be an endpoint/],
    [{ endpoints: [{ address: 'web', port: 80 }] }, /web:80 cannot be an endpoint/],
  ]
  for (const [change, message] of bad) {
    assert.throws(() => assertServiceRules([{ ...web, ...change }], network), { code: 'invalid_argument', message })
  }
  assert.throws(() => assertServiceRules([web, { ...web, port: 81 }], network), { message: /http\/tcp is there twice/ })
})

test('a node port that is the host port too is one port', () => {
  assert.deepEqual(localPorts(web), [30_080])
  assert.deepEqual(localPorts({ ...web, hostPort: 80 }), [30_080, 80])
  assert.deepEqual(localPorts({ ...web, hostPort: 30_080 }), [30_080])
})
