import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { StatusError } from '../lib/errors.ts'
import { canonicalAddress } from '../lib/ip-address.ts'
import type { PortMapping } from './network.ts'
import { parsePorts } from './port.ts'

test('parsePorts() takes every form', () => {
  const port = (hostIp: string, hostPort: number, containerPort: number, protocol: string) => [
    { hostIp, hostPort, containerPort, protocol },
  ]
  assert.deepEqual(parsePorts('8080:80'), port('', 8080, 80, 'tcp'))
  assert.deepEqual(parsePorts('80'), port('', 0, 80, 'tcp'))
  assert.deepEqual(parsePorts('80/udp'), port('', 0, 80, 'udp'))
  assert.deepEqual(parsePorts('53:53:udp'), port('', 53, 53, 'udp'))
  assert.deepEqual(parsePorts('53:53/UDP'), port('', 53, 53, 'udp'))
  assert.deepEqual(parsePorts('127.0.0.1:8080:80/tcp'), port('127.0.0.1', 8080, 80, 'tcp'))
  assert.deepEqual(parsePorts('127.0.0.1::80'), port('127.0.0.1', 0, 80, 'tcp'))
  assert.deepEqual(parsePorts('[::]:8080:80'), port('::', 8080, 80, 'tcp'))
  assert.deepEqual(parsePorts('[0:0::2]::80/udp'), port('::2', 0, 80, 'udp'))
  assert.deepEqual(parsePorts('[FD00::0a]:53:53:udp'), port('fd00::a', 53, 53, 'udp'))
  assert.deepEqual(parsePorts('0:80'), port('', 0, 80, 'tcp'))
})

test('parsePorts() takes ranges of the same length', () => {
  const ports = (text: string) => parsePorts(text).map(({ hostPort, containerPort }) => [hostPort, containerPort])
  assert.deepEqual(ports('8000-8002:80-82'), [
    [8000, 80],
    [8001, 81],
    [8002, 82],
  ])
  assert.deepEqual(ports('80-81/udp'), [
    [0, 80],
    [0, 81],
  ])
  for (const text of ['8000-8001:80', '80-79', '1-2-3', '1-2000', '8000-:80', '0-1:0-1'])
    assert.throws(() => parsePorts(text), { code: 'invalid_argument' }, text)
})

test('parsePorts() refuses the rest with what is wrong', () => {
  const cases: readonly [string, RegExp][] = [
    ['', /want \[ip:\]host:container/],
    ['x', /"x" is not a port from 1 to 65535/],
    ['80:', /want/],
    ['80:0', /"0" is not a port from 1/],
    ['65536:80', /"65536" is not a port from 0 to 65535/],
    ['-1:80', /"-1" is not a port/],
    ['1:2:3', /"1" is not an IPv4 address/],
    ['300.0.0.1:1:2', /"300.0.0.1" is not an IPv4 address/],
    ['[::1:1:2', /want/],
    ['[::g]:1:2', /"::g" is not an IPv6 address/],
    ['[1.2.3.4]:1:2', /"1.2.3.4" is not an IPv6 address/],
    ['[fe80::1%eth0]:1:2', /is not an IPv6 address/],
    ['::1:80:80', /want/],
    ['[0::1]:80:80', /::1 cannot be led elsewhere/],
    ['80:80/sctp', /protocol "sctp" is not tcp or udp/],
    ['1e3:80', /"1e3" is not a port/],
    [' 80:80', /" 80" is not a port/],
  ]
  for (const [text, message] of cases) assert.throws(() => parsePorts(text), { code: 'invalid_argument', message })
})

test('parsePorts() reads the whole form back', () => {
  const mapping = fc.record({
    hostIp: fc.oneof(
      fc.ipV4(),
      fc
        .ipV6()
        .map(canonicalAddress)
        .filter((address) => address !== '::1'),
    ),
    hostPort: fc.integer({ min: 0, max: 65_535 }),
    containerPort: fc.integer({ min: 1, max: 65_535 }),
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
  })
  fc.assert(
    fc.property(mapping, (port) => {
      const on = port.hostIp.includes(':') ? `[${port.hostIp}]` : port.hostIp
      const text = `${on}:${port.hostPort}:${port.containerPort}/${port.protocol}`
      assert.deepEqual(parsePorts(text), [{ ...port }])
    }),
  )
})

test('parsePorts() takes any text or says invalid_argument', () => {
  const texts = fc.oneof(fc.string(), fc.stringMatching(/^[0-9.:/a-z[\]]{0,30}$/))
  fc.assert(
    fc.property(texts, (text) => {
      try {
        const [{ hostPort, containerPort }] = parsePorts(text) as [PortMapping, ...PortMapping[]]
        assert(hostPort >= 0 && hostPort <= 65_535 && containerPort >= 1 && containerPort <= 65_535)
      } catch (error) {
        assert(error instanceof StatusError && error.code === 'invalid_argument')
      }
    }),
  )
})
