import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { read } from '../../test/support/compose.ts'
import type { ComposeService } from './project.ts'

/** The service `foo` of two files, as a project has it. */
function merged(base: string, over: string): ComposeService {
  const { project } = read([`services: {foo: {image: x, ${base}}}`, `services: {foo: {${over}}}`], {
    directory: '/srv/shop',
    disk: { '/srv/shop/a.env': '', '/srv/shop/b.env': '' },
  })
  return project.services['foo']!
}

describe('the chapter on merging', () => {
  test('objects are merged entry by entry, scalars replaced', () => {
    const service = merged('hostname: one, tty: true, labels: {a: "1", b: "2"}', 'hostname: two, labels: [b=3, c=4]')
    assert.equal(service.hostname, 'two')
    assert.equal(service.tty, true)
    assert.deepEqual(service.labels, { a: '1', b: '3', c: '4' })
  })

  test('lists are appended, equal items are one', () => {
    assert.deepEqual(merged('dns: [1.1.1.1]', 'dns: 8.8.8.8').dns, ['1.1.1.1', '8.8.8.8'])
    assert.deepEqual(merged('cap_add: [NET_ADMIN]', 'cap_add: [NET_ADMIN, KILL]').cap_add, ['NET_ADMIN', 'KILL'])
    assert.deepEqual(merged('expose: ["80"]', 'expose: ["80", "81"]').expose, ['80', '81'])
  })

  test('commands and tests are replaced', () => {
    assert.deepEqual(merged('command: [echo, foo]', 'command: [echo, bar]').command, ['echo', 'bar'])
    assert.equal(merged('command: [echo, foo]', 'command: null').command, null)
    assert.equal(merged('entrypoint: a b', 'entrypoint: c').entrypoint, 'c')
    const { healthcheck } = merged(
      'healthcheck: {test: [CMD, a], interval: 1s}',
      'healthcheck: {test: [CMD, b], timeout: 2s}',
    )
    assert.deepEqual(healthcheck, { test: ['CMD', 'b'], interval: '1s', timeout: '2s' })
  })

  test('environment in both spellings, and a name alone takes a value away', () => {
    assert.deepEqual(merged('environment: [A=1, B=2]', 'environment: {B: 3, C: null, A: }').environment, {
      A: null,
      B: '3',
      C: null,
    })
  })

  test('volumes, devices and tmpfs are unique by their target', () => {
    const { volumes } = merged(
      'volumes: ["/foo:/work", "/b:/b"]',
      'volumes: ["/bar:/work:ro", {type: bind, source: /c, target: /b}]',
    )
    assert.deepEqual(
      volumes?.map(({ source, target, read_only }) => [source, target, read_only]),
      [
        ['/bar', '/work', true],
        ['/c', '/b', undefined],
      ],
    )
    assert.deepEqual(merged('tmpfs: /run', 'tmpfs: ["/run:size=1m", /tmp]').tmpfs, ['/run:size=1m', '/tmp'])
    assert.deepEqual(merged('devices: ["/dev/a:/dev/x"]', 'devices: [{source: /dev/b, target: /dev/x}]').devices, [
      '/dev/b:/dev/x',
    ])
  })

  test('ports are unique by address, ports and protocol', () => {
    const { ports } = merged(
      'ports: ["8080:80", "81"]',
      'ports: [{target: 80, published: 8080}, "8080:80/udp", "127.0.0.1:8080:80"]',
    )
    assert.deepEqual(
      ports?.map((port) => [port.host_ip ?? '', port.published ?? '', port.target, port.protocol]),
      [
        ['', '8080', 80, 'tcp'],
        ['', '', 81, 'tcp'],
        ['', '8080', 80, 'udp'],
        ['127.0.0.1', '8080', 80, 'tcp'],
      ],
    )
  })

  test('secrets are unique by their target, said or not', () => {
    const { project } = read([
      'services: {foo: {image: x, secrets: [a, b]}}\nsecrets: {a: {file: /a}, b: {file: /b}, c: {file: /c}}',
      'services: {foo: {secrets: [{source: c, target: /run/secrets/a}]}}',
    ])
    assert.deepEqual(project.services['foo']?.secrets, [{ source: 'c', target: '/run/secrets/a' }, { source: 'b' }])
  })

  test('dependencies and networks in both spellings', () => {
    const { project } = read([
      'services: {foo: {image: x, depends_on: [db], networks: [a]}, db: {image: y}, mq: {image: z}}\nnetworks: {a: , b: }',
      'services: {foo: {depends_on: {db: {condition: service_healthy}, mq: {condition: service_started}}, networks: {a: {aliases: [n]}, b: }}}',
    ])
    const { depends_on, networks } = project.services['foo']!
    assert.deepEqual(depends_on, {
      db: { condition: 'service_healthy', required: true },
      mq: { condition: 'service_started' },
    })
    assert.deepEqual(networks, { a: { aliases: ['n'] }, b: null })
  })

  test('subnets are merged by what they are', () => {
    const net = (config: string) => `networks: {a: {ipam: {config: [${config}]}}}`
    const { project } = read([
      `services: {foo: {image: x, networks: [a]}}\n${net('{subnet: 10.1.0.0/24}')}`,
      net('{subnet: 10.1.0.0/24, gateway: 10.1.0.5}, {subnet: "fd01::/64"}'),
    ])
    assert.deepEqual(project.networks?.['a']?.ipam?.config, [
      { subnet: '10.1.0.0/24', gateway: '10.1.0.5' },
      { subnet: 'fd01::/64' },
    ])
  })

  test('ulimits and logging may be of another kind', () => {
    assert.deepEqual(merged('ulimits: {nofile: 1000}', 'ulimits: {nofile: {soft: 100, hard: 2000}}').ulimits, {
      nofile: { soft: 100, hard: 2000 },
    })
    const logging = (service: object) => (service as { logging?: unknown }).logging
    assert.deepEqual(logging(merged('logging: {driver: a, options: {x: "1"}}', 'logging: {driver: b}')), {
      driver: 'b',
    })
    assert.deepEqual(logging(merged('logging: {driver: a, options: {x: "1"}}', 'logging: {options: {y: "2"}}')), {
      driver: 'a',
      options: { x: '1', y: '2' },
    })
  })

  test('!reset takes away, !override replaces', () => {
    const base = 'ports: ["8080:80"], environment: {FOO: BAR, A: 1}, labels: {a: b}'
    const reset = merged(base, 'ports: !reset [], environment: {FOO: !reset null}, labels: !reset null')
    assert.equal(reset.ports, undefined)
    assert.equal(reset.labels, undefined)
    assert.deepEqual(reset.environment, { A: '1' })
    const over = merged(base, 'ports: !override ["8443:443"], environment: !override {B: 2}')
    assert.deepEqual(
      over.ports?.map(({ target }) => target),
      [443],
    )
    assert.deepEqual(over.environment, { B: '2' })
    const { project } = read(['services: {foo: {image: x}, bar: {image: y}}', 'services: {bar: !reset null}'])
    assert.deepEqual(Object.keys(project.services), ['foo'])
  })

  test('what is reset can be set again by a third file', () => {
    const { project } = read([
      'services: {foo: {image: x, environment: {A: 1, B: 2}}}',
      'services: {foo: {environment: !reset null}}',
      'services: {foo: {environment: {C: 3}}}',
    ])
    assert.deepEqual(project.services['foo']?.environment, { C: '3' })
  })

  test('documents of one file are merged as files are', () => {
    const { project } = read('services: {foo: {image: x, tty: true}}\n---\nservices: {foo: {image: y}}\n')
    assert.deepEqual(project.services['foo'], { image: 'y', tty: true })
  })

  test('a key without a value says nothing, extensions are replaced', () => {
    const net = (entry: string) => `networks: {a: ${entry}}`
    const { project } = read([
      `services: {foo: {image: x, networks: {a: {aliases: [n]}}}}\n${net('{name: own}')}\nx-a: {b: 1}`,
      `services: {foo: {networks: {a: null}}}\n${net('null')}\nx-a: {c: 2}`,
    ])
    assert.deepEqual(project.services['foo']?.networks, { a: { aliases: ['n'] } })
    assert.deepEqual(project.networks, { a: { name: 'own' } })
    assert.deepEqual((project as unknown as Record<string, unknown>)['x-a'], { c: 2 })
  })
})
