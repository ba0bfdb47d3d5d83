import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readBottleText } from './index.ts'

const WORDPRESS = `
bottle: {name: wordpress}
services:
  wp:
    image: wordpress:6
    command: [apache2, -D, 1]
    env: ["WORDPRESS_DB_HOST=db:3306", "A=1"]
    ports: ["8080:80", "53:53:udp"]
    mount: ["/srv/wp:/var/www/html", "/etc/x:/x:ro"]
    tty: yes
    depends_on: [db]
  db: {image: mariadb}
policies:
  - {type: east-west, source: wp, destination: db, protocol: tcp, dest_port: 3306, comment: "wp to db"}
  - {type: north-south_observe, source: wp, destination: 10.0.0.0/8}
  - {type: north-south_enforce, source: wp, destination: "fd00::1"}
`

test('the original of Raind: its whole file', () => {
  const { manifest, warnings } = readBottleText(WORDPRESS)
  assert.deepEqual(warnings, [])
  assert.equal(manifest.name, 'wordpress')
  const { services, networks, volumes, policies } = manifest.spec
  assert.deepEqual(services['wp'], {
    image: 'wordpress:6',
    pull: 'missing',
    entrypoint: [],
    command: ['apache2', '-D', '1'],
    containerName: 'wordpress-wp',
    env: ['WORDPRESS_DB_HOST=db:3306', 'A=1'],
    labels: {},
    tty: true,
    openStdin: true,
    ports: [
      { hostIp: '', hostPort: 8080, containerPort: 80, protocol: 'tcp' },
      { hostIp: '', hostPort: 53, containerPort: 53, protocol: 'udp' },
    ],
    mounts: [
      {
        type: 'bind',
        source: '/srv/wp',
        destination: '/var/www/html',
        readOnly: false,
        createSource: false,
        propagation: 'rprivate',
      },
      {
        type: 'bind',
        source: '/etc/x',
        destination: '/x',
        readOnly: true,
        createSource: false,
        propagation: 'rprivate',
      },
    ],
    tmpfs: [],
    networks: [{ network: 'default', aliases: [] }],
    dependsOn: { db: { condition: 'started', required: true } },
    replicas: 1,
    resources: {},
    capAdd: [],
    capDrop: [],
    options: {},
    files: [],
    updateOrder: 'stop-first',
    replacesNames: true,
  })
  assert.equal('command' in services['db']!, false)
  assert.deepEqual(networks, { default: { labels: {} } })
  assert.deepEqual(volumes, {})
  assert.deepEqual(policies, [
    {
      id: 'p1',
      type: 'east-west',
      source: 'wp',
      destination: 'db',
      protocol: 'tcp',
      destPort: 3306,
      comment: 'wp to db',
    },
    { id: 'p2', type: 'north-south_observe', source: 'wp', destination: '10.0.0.0/8' },
    { id: 'p3', type: 'north-south_enforce', source: 'wp', destination: 'fd00::1' },
  ])
})

test('a network that is named is there already, and who names none is on that of the daemon', () => {
  const { spec } = readBottleText(
    'bottle: {name: a}\nservices: {x: {image: i, network: mine}, y: {image: i}, z: {image: i, network: ""}}',
  ).manifest
  const networkOf = (name: string) => spec.services[name]!.networkMode ?? spec.services[name]!.networks[0]!.network
  assert.deepEqual([networkOf('x'), networkOf('y'), networkOf('z')], ['mine', 'bridge', 'bridge'])
  assert.deepEqual(spec.networks, {
    mine: { name: 'mine', external: true, labels: {} },
  })
})

test('keys that it does not know are ignored, with a warning', () => {
  const text =
    'bottle: {name: a, note: b}\nservices:\n  x:\n    image: i\n    enviroment: [A=1]\n    volumes: []\nversion: 1\n'
  assert.deepEqual(readBottleText(text).warnings.toSorted(), [
    'the file, line 1: bottle.note is unknown, and ignored; did you mean "name"?',
    'the file, line 5: services.x.enviroment is unknown, and ignored',
    'the file, line 6: services.x.volumes is unknown, and ignored',
    'the file, line 7: version is unknown, and ignored',
  ])
})

describe('what is wrong is told with its line', () => {
  const with_ = (service: string, rest = '') => `bottle: {name: a}\nservices:\n  x: {image: i, ${service}}\n${rest}`
  const policy = (entry: string) => with_('tty: false', `policies:\n- {${entry}}\n`)
  const cases: readonly (readonly [string, RegExp | string])[] = [
    ['bottle: {}\nservices: {x: {image: i}}', /the file, line 1: bottle\.name is missing/],
    ['bottle: {name: A}\nservices: {x: {image: i}}', /bottle\.name is "A", which is no name of a bottle/],
    ['bottle: {name: a}\n', /services is missing/],
    ['bottle: {name: a}\nservices: {}', /services: there is none/],
    ['bottle: {name: a}\nservices: {X: {image: i}}', /services\.X is no name of a service/],
    ['bottle: {name: a}\nservices: {x: {}}', /services\.x\.image is missing/],
    ['bottle: {name: a}\nservices: {x: {image: ""}}', /services\.x\.image must not be empty/],
    ['bottle: 5', /bottle must be an object, not "5"/],
    [with_('command: run'), 'the file, line 3: services.x.command must be a list, not "run"'],
    [with_('env: [A]'), 'the file, line 3: services.x.env[0] must be NAME=value, not "A"'],
    [with_('ports: ["x"]'), /services\.x\.ports\[0\]: Invalid port "x"/],
    [
      with_('mount: ["data:/x"]'),
      /services\.x\.mount\[0\] must be a path of the host and one of the container, not "data:\/x"/,
    ],
    [with_('mount: ["/a:b"]'), /services\.x\.mount\[0\]: Invalid mount/],
    [with_('tty: perhaps'), /services\.x\.tty must be true or false, not "perhaps"/],
    [with_('depends_on: [no]'), /services\.x\.depends_on\[0\]: there is no service "no"/],
    [
      'bottle: {name: a}\nservices: {x: {image: i, depends_on: [y]}, y: {image: i, depends_on: [x]}}',
      /depends on itself: x -> y -> x/,
    ],
    [
      policy('type: sideways, source: x, destination: y'),
      /line 5: policies\[0\]\.type must be one of east-west, north-south_observe, north-south_enforce, not "sideways"/,
    ],
    [
      policy('type: east-west, source: x, destination: 10.0.0.1'),
      /policies\[0\]\.destination must be a service, not "10\.0\.0\.1"/,
    ],
    [
      policy('type: north-south_enforce, source: x, destination: db'),
      /destination must be an address or a range such as 10\.0\.0\.0\/8, not "db"/,
    ],
    [policy('type: north-south_enforce, source: x, destination: 10.0.0.0/33'), /must be an address or a range/],
    [policy('type: east-west, source: "", destination: y'), /policies\[0\]\.source must not be empty/],
    [
      policy('type: east-west, source: x, destination: y, dest_port: 70000'),
      /dest_port must be an integer from 0 to 65535, not 70000/,
    ],
    [policy('type: east-west, source: x'), /policies\[0\]\.destination is missing/],
  ]
  for (const [text, message] of cases) {
    test(String(message), () => assert.throws(() => readBottleText(text), { code: 'invalid_argument', message }))
  }
})
