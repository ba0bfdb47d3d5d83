import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hasCode } from '../lib/errors.ts'
import { parseImageConfig } from './image-config.ts'

const DIFF_ID = `sha256:${'0'.repeat(64)}`
const parse = (document: unknown) => parseImageConfig(Buffer.from(JSON.stringify(document)))
const minimal = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [DIFF_ID] } }
const invalid = (error: unknown) => hasCode(error, 'invalid_argument')

test('reads every member that running a container takes', () => {
  const parsed = parse({
    ...minimal,
    variant: 'v8',
    created: '2024-05-22T18:18:12.052034407Z',
    config: {
      Entrypoint: ['/init'],
      Cmd: ['serve', '--port', '80'],
      Env: ['PATH=/bin', 'EMPTY='],
      User: '1000:1000',
      WorkingDir: '/srv',
      StopSignal: 'SIGQUIT',
      Labels: { maintainer: 'someone' },
      ExposedPorts: { '80/tcp': {} },
      Volumes: { '/data': {} },
      Healthcheck: {
        Test: ['CMD', 'true'],
        Interval: 5e9,
        Timeout: 1e18,
        StartInterval: 1,
        StartPeriod: 0,
        Retries: 7,
      },
    },
  })
  assert.deepEqual(parsed, {
    platform: { os: 'linux', architecture: 'amd64', variant: 'v8' },
    diffIds: [DIFF_ID],
    imageConfig: {
      entrypoint: ['/init'],
      cmd: ['serve', '--port', '80'],
      env: ['PATH=/bin', 'EMPTY='],
      user: '1000:1000',
      workingDir: '/srv',
      stopSignal: 'SIGQUIT',
      labels: { maintainer: 'someone' },
      exposedPorts: ['80/tcp'],
      volumes: ['/data'],
      healthcheck: {
        test: ['CMD', 'true'],
        intervalMs: 5000,
        timeoutMs: 2 ** 31 - 1,
        startIntervalMs: 100,
        retries: 7,
      },
    },
    builtAt: Date.parse('2024-05-22T18:18:12.052Z'),
  })
})

test('absent and null members take their defaults', () => {
  for (const config of [undefined, null, {}, { Cmd: null, Env: null, Labels: null, Volumes: null, User: null }]) {
    const { imageConfig, builtAt } = parse({ ...minimal, config })
    assert.deepEqual([imageConfig.cmd, imageConfig.env, imageConfig.labels, imageConfig.user], [[], [], {}, ''])
    assert.equal(builtAt, 0)
  }
})

test('refuses what is not an image config', () => {
  const broken = [
    null,
    [],
    'text',
    {},
    { rootfs: { type: 'squashfs', diff_ids: [] } },
    { rootfs: { type: 'layers', diff_ids: ['sha256:1'] } },
    { rootfs: { type: 'layers', diff_ids: ['md5:0'] } },
    { rootfs: { type: 'layers', diff_ids: { length: 1 } } },
    { ...minimal, config: { Cmd: 'sh -c true' } },
    { ...minimal, config: { Healthcheck: { Test: 'true' } } },
    { ...minimal, config: { Healthcheck: { Test: [], Interval: -1 } } },
    { ...minimal, config: { Healthcheck: { Test: [], Retries: '3' } } },
    { ...minimal, config: { Cmd: [1] } },
    { ...minimal, config: { User: 0 } },
    { ...minimal, config: { Env: ['A=\0'] } },
    { ...minimal, config: { WorkingDir: '/a\0b' } },
    { ...minimal, config: { Labels: { a: 1 } } },
    { ...minimal, config: { ExposedPorts: ['80'] } },
    { ...minimal, os: 7 },
  ]
  for (const document of broken) assert.throws(() => parse(document), invalid, JSON.stringify(document))
  assert.throws(() => parseImageConfig(Buffer.from('{')), invalid)
  assert.throws(() => parseImageConfig(Buffer.from([0xff, 0xfe])), invalid)
})

test('environment entries without a name are dropped', () => {
  assert.deepEqual(parse({ ...minimal, config: { Env: ['A=1', '=2', 'B'] } }).imageConfig.env, ['A=1'])
})

test('a label called __proto__ is a label', () => {
  const bytes = Buffer.from(
    `{"rootfs":{"type":"layers","diff_ids":[]},"config":{"Labels":{"__proto__":"x"},"Env":["__proto__=1"]}}`,
  )
  assert.deepEqual(Object.entries(parseImageConfig(bytes).imageConfig.labels), [['__proto__', 'x']])
})

test('any JSON gives a config or invalid_argument, nothing else', () => {
  const document = fc.record(
    { rootfs: fc.anything(), config: fc.anything(), os: fc.anything(), created: fc.anything() },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.oneof(document, fc.jsonValue()), (value) => {
      try {
        parseImageConfig(Buffer.from(JSON.stringify(value) ?? 'null'))
      } catch (error) {
        assert.ok(invalid(error), String(error))
      }
    }),
  )
})
