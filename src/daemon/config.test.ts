import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { completeConfig } from './config.ts'
import { readConfigFile } from './config-file.ts'
import { parseFlags } from './flags.ts'
import { defaultNetwork } from './subnet.ts'

test('completeConfig() has a default for everything', () => {
  assert.deepEqual(completeConfig({}, {}), {
    root: '/var/lib/condenser',
    run: '/run/condenser',
    socket: '/run/condenser/condenser.sock',
    listen: { host: '127.0.0.1', port: 7755 },
    certDir: '/etc/raind/cert',
    subnet: '10.166.0.0/16',
    serviceSubnet: '10.167.0.0/16',
    subnet6: undefined,
    network: { bridge: 'raind0', subnet: '10.166.0.0/20', gateway: '10.166.0.254' },
    dns: true,
    runtime: 'auto',
    logLevel: 'info',
    cgroupParent: '/condenser',
    stopTimeoutMs: 10_000,
    containerLogs: { maxBytes: 10 * 2 ** 20, maxFiles: 3 },
    metrics: undefined,
    images: {},
    registries: {},
    dockerConfigFile: undefined,
  })
})

test('completeConfig() serves metrics on loopback addresses only', () => {
  const metrics = (listen: string) => completeConfig({}, { metrics: { listen, tokenFile: '/etc/token' } }).metrics
  assert.deepEqual(metrics('127.0.0.1:9477'), { listen: { host: '127.0.0.1', port: 9477 }, tokenFile: '/etc/token' })
  assert.equal(metrics('none'), undefined)
  assert.throws(() => metrics('0.0.0.0:9477'), /metrics.listen "0.0.0.0:9477" is not a loopback address/)
  assert.throws(() => metrics('192.0.2.1:9477'), /is not a loopback address/)
  assert.throws(() => metrics('9477'), /metrics.listen "9477" is neither/)
})

test('completeConfig() takes flags before the file', () => {
  const flags = parseFlags(['--run', '/tmp/r/', '--log-level=debug', '--listen', 'none', '--cert-dir', '/tmp/c/'])
  const config = completeConfig(flags, { run: '/tmp/x', runtime: 'runc', logLevel: 'warn', images: { reserve: '1g' } })
  assert.deepEqual(
    [config.run, config.socket, config.logLevel, config.runtime, config.listen, config.certDir, config.images],
    [
      '/tmp/r',
      '/tmp/r/condenser.sock',
      'debug',
      'runc',
      undefined,
      '/tmp/c',
      { reserve: { share: 1, bytes: 2 ** 30 } },
    ],
  )
})

test('completeConfig() refuses what cannot be, and says why', () => {
  const cases: readonly [object, object, RegExp][] = [
    [{ root: 'x' }, {}, /root "x" is not an absolute path/],
    [{ root: '/a', run: '/a/' }, {}, /root and run must differ/],
    [{ run: `/${'x'.repeat(80)}` }, {}, /too long: a socket's path has at most 107 bytes/],
    [{ socket: `/${'ä'.repeat(54)}` }, {}, /too long/],
    [{ listen: '7755' }, {}, /listen "7755" is neither "none" nor/],
    [{ listen: '127.0.0.1:99999' }, {}, /listen/],
    [{ runtime: 'kata' }, {}, /runtime "kata" is not one of/],
    [{ logLevel: 'loud' }, {}, /log level "loud"/],
    [{ bridge: 'x'.repeat(16) }, {}, /is not a link name/],
    [{ bridge: '../x' }, {}, /is not a link name/],
    [{ subnet: '10.0.0.0' }, {}, /Invalid subnet/],
    [{}, { subnet6: 'fd00::/8' }, /Invalid subnet/],
    [{}, { subnet6: '10.0.0.0/16' }, /want IPv6 CIDR/],
    [{}, { gateway: '10.167.0.1' }, /Invalid gateway "10.167.0.1": it is not a host address of 10.166.0.0\/20/],
    [{}, { cgroupParent: '/a/../b' }, /cgroupParent/],
    [{}, { containerLogs: { maxSize: 'big' } }, /containerLogs.maxSize "big"/],
  ]
  for (const [flags, file, message] of cases) {
    assert.throws(() => completeConfig(flags, file), { code: 'invalid_argument', message })
  }
})

test('defaultNetwork() takes the first /20, or all there is', () => {
  const spec = (subnet: string, gateway: string) => ({ bridge: 'b', subnet, gateway })
  assert.deepEqual(defaultNetwork('b', '10.1.0.0/16'), spec('10.1.0.0/20', '10.1.0.254'))
  assert.deepEqual(defaultNetwork('b', '192.168.200.0/24'), spec('192.168.200.0/24', '192.168.200.254'))
  assert.deepEqual(defaultNetwork('b', '192.168.200.64/29'), spec('192.168.200.64/29', '192.168.200.70'))
  assert.deepEqual(defaultNetwork('b', '10.1.0.0/16', '10.1.0.1'), spec('10.1.0.0/20', '10.1.0.1'))
  for (const subnet of [
    '10.1.0.1/16',
    '10.0.0.0/30',
    '10.0.0.0/7',
    'x/16',
    '127.0.0.0/16',
    '224.0.0.0/16',
    '10.0.0.0/16/1',
  ]) {
    assert.throws(() => defaultNetwork('b', subnet), { code: 'invalid_argument' }, subnet)
  }
  for (const gateway of ['10.1.0.0', '10.1.15.255', '10.1.16.0', 'x']) {
    assert.throws(() => defaultNetwork('b', '10.1.0.0/16', gateway), { code: 'invalid_argument' }, gateway)
  }
})

test('parseFlags() refuses what it does not know', () => {
  for (const words of [['--rooot', '/x'], ['start'], ['--root'], ['--help=x']]) {
    assert.throws(() => parseFlags(words), { code: 'invalid_argument', message: /condenser --help/ })
  }
})

test('readConfigFile() names the key that is wrong', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'condenser-config-'))
  t.after(() => rm(dir, { recursive: true }))
  const file = join(dir, 'config.yaml')
  const read = async (text: string) => {
    await writeFile(file, text)
    return readConfigFile(file, false)
  }
  assert.deepEqual(await read('# nothing\n'), {})
  assert.deepEqual(
    await read('registries:\n  localhost:5000:\n    insecure: true\n    mirrors: ["http://127.0.0.1:5001/x"]\n'),
    { registries: { 'localhost:5000': { insecure: true, mirrors: ['http://127.0.0.1:5001/x'] } } },
  )
  await assert.rejects(read('rooot: /x'), {
    code: 'invalid_argument',
    message: /unknown field "rooot"; known are: root, run/,
  })
  await assert.rejects(read('registries: {x: {ca_file: /x}}'), { message: /unknown field "registries\.x\.ca_file"/ })
  await assert.rejects(read('runtime: kata'), { message: /"runtime" must be one of auto, crun, runc, not "kata"/ })
  await assert.rejects(read('a: ['), { code: 'invalid_argument', message: /not valid YAML/ })
  await assert.rejects(read('- x'), { message: /must be an object, not a list/ })
})

test('readConfigFile() may do without the default file, not without the one asked for', async () => {
  assert.deepEqual(await readConfigFile('/nonexistent/config.yaml', true), {})
  await assert.rejects(readConfigFile('/nonexistent/config.yaml', false), { code: 'not_found' })
})
