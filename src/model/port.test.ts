import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { StatusError } from '../lib/errors.ts'
import { parsePort } from './port.ts'

test('parsePort() takes every form', () => {
  const port = (hostIp: string, hostPort: number, containerPort: number, protocol: string) => ({
    hostIp,
    hostPort,
    containerPort,
    protocol,
  })
  assert.deepEqual(parsePort('8080:80'), port('0.0.0.0', 8080, 80, 'tcp'))
  assert.deepEqual(parsePort('80'), port('0.0.0.0', 0, 80, 'tcp'))
  assert.deepEqual(parsePort('80/udp'), port('0.0.0.0', 0, 80, 'udp'))
  assert.deepEqual(parsePort('53:53:udp'), port('0.0.0.0', 53, 53, 'udp'))
  assert.deepEqual(parsePort('53:53/UDP'), port('0.0.0.0', 53, 53, 'udp'))
  assert.deepEqual(parsePort('127.0.0.1:8080:80/tcp'), port('127.0.0.1', 8080, 80, 'tcp'))
  assert.deepEqual(parsePort('127.0.0.1::80'), port('127.0.0.1', 0, 80, 'tcp'))
  assert.deepEqual(parsePort('0:80'), port('0.0.0.0', 0, 80, 'tcp'))
})

test('parsePort() refuses the rest with what is wrong', () => {
  const cases: readonly [string, RegExp][] = [
    ['', /want \[ip:\]host:container/],
    ['x', /"x" is not a port from 1 to 65535/],
    ['80:', /want/],
    ['80:0', /"0" is not a port from 1/],
    ['65536:80', /"65536" is not a port from 0 to 65535/],
    ['-1:80', /"-1" is not a port/],
    ['1:2:3', /"1" is not an IPv4 address/],
    ['300.0.0.1:1:2', /"300.0.0.1" is not an IPv4 address/],
    ['80:80/sctp', /protocol "sctp" is not tcp or udp/],
    ['1e3:80', /"1e3" is not a port/],
    [' 80:80', /" 80" is not a port/],
  ]
  for (const [text, message] of cases) assert.throws(() => parsePort(text), { code: 'invalid_argument', message })
})

test('parsePort() reads the whole form back', () => {
  const mapping = fc.record({
    hostIp: fc.ipV4(),
    hostPort: fc.integer({ min: 0, max: 65_535 }),
    containerPort: fc.integer({ min: 1, max: 65_535 }),
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
  })
  fc.assert(
    fc.property(mapping, (port) => {
      const text = `${port.hostIp}:${port.hostPort}:${port.containerPort}/${port.protocol}`
      assert.deepEqual(parsePort(text), { ...port })
    }),
  )
})

test('parsePort() takes any text or says invalid_argument', () => {
  const texts = fc.oneof(fc.string(), fc.stringMatching(/^[0-9.:/a-z]{0,30}$/))
  fc.assert(
    fc.property(texts, (text) => {
      try {
        const { hostPort, containerPort } = parsePort(text)
        assert(hostPort >= 0 && hostPort <= 65_535 && containerPort >= 1 && containerPort <= 65_535)
      } catch (error) {
        assert(error instanceof StatusError && error.code === 'invalid_argument')
      }
    }),
  )
})
