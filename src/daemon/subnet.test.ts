import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertServiceSubnetIsFree } from './subnet.ts'

test('addresses of Services must be of nobody else', () => {
  const check =
    (subnets: string[], routes: string[] = []) =>
    () =>
      assertServiceSubnetIsFree('10.167.0.0/16', { subnets, routes })
  check(['192.168.1.5/24', '10.166.0.254/20', 'fd00::1/64'], ['192.168.1.0/24', '10.0.0.0/8'])()
  assert.throws(check(['10.167.3.4/24']), /serviceSubnet 10.167.0.0\/16 overlaps with 10.167.3.0\/24 of this host/)
  assert.throws(check(['10.1.2.3/8']), /overlaps with 10.0.0.0\/8 of this host/)
  assert.throws(check([], ['10.167.0.0/16']), /overlaps with 10.167.0.0\/16 of this host/)
  assert.throws(check([], ['10.167.9.1/32']), /overlaps with 10.167.9.1\/32 of this host/)
})
