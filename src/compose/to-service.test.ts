import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { read, warningsOf, webOf, withWeb } from '../../test/support/compose.ts'
import type { BottleService } from '../model/bottle.ts'

/** Lines of a service, and what of it they make. */
type Case = readonly [string, Partial<BottleService>]

function hold(cases: readonly Case[], rest?: string): void {
  for (const [lines, wanted] of cases) {
    const web = webOf(lines, rest) as unknown as Record<string, unknown>
    const own = Object.fromEntries(Object.keys(wanted).map((key) => [key, web[key]]))
    assert.deepEqual(own, wanted, lines)
  }
}

/** Lines of a service, and what is wrong with them. */
function refused(cases: readonly (readonly [string, string | RegExp])[], rest?: string): void {
  for (const [lines, message] of cases) {
    const wanted = typeof message === 'string' ? `compose.yaml, line 4: services.web${message}` : message
    assert.throws(() => read(withWeb(lines, rest)), { code: 'invalid_argument', message: wanted }, lines)
  }
}

const both = (soft: number, hard = soft) => ({ name: 'nofile', soft, hard })

test('a service that says nothing has nothing', () => {
  const { db } = read(withWeb('')).spec.services
  assert.deepEqual(db, {
    image: 'postgres',
    pull: 'missing',
    env: [],
    labels: {},
    ports: [],
    mounts: [],
    tmpfs: [],
    files: [],
    networks: [{ network: 'default', aliases: [] }],
    dependsOn: {},
    replicas: 1,
    resources: {},
    capAdd: [],
    capDrop: [],
    options: {},
    updateOrder: 'stop-first',
  })
})

test('command and entrypoint: texts are split, lists are as they are', () => {
  hold([
    ['command: sh -c "echo  a && b"', { command: ['sh', '-c', 'echo  a && b'] }],
    ['command: [a, "b c"]\nentrypoint: /run me', { command: ['a', 'b c'], entrypoint: ['/run', 'me'] }],
    ['command: []\nentrypoint: ""', { command: [], entrypoint: [] }],
    ['command: null', { command: undefined }],
    ['command: echo $$HOME', { command: ['echo', '$HOME'] }],
  ])
  refused([[`command: sh -c 'x`, '.command has a quote that is not closed, or a \\ at its end']])
})

test('who and where it is', () => {
  hold([
    ['user: "1000:1000"\nworking_dir: /app', { user: '1000:1000', workingDir: '/app' }],
    ['hostname: web', { hostname: 'web' }],
    ['hostname: mail\ndomainname: example.com', { hostname: 'mail.example.com' }],
    ['container_name: my_web', { containerName: 'my_web' }],
    ['labels: [a=b, c, d=e=f]', { labels: { a: 'b', c: '', d: 'e=f' } }],
    ['labels: {a: 1, b: true, c: , "d.e": x}', { labels: { a: '1', b: 'true', c: '', 'd.e': 'x' } }],
    ['tty: true\nstdin_open: "yes"\nread_only: on', { tty: true, openStdin: true, readOnlyRootfs: true }],
    ['tty: false\nstdin_open: "no"', { tty: undefined, openStdin: undefined }],
  ])
  refused([
    ['working_dir: app', '.working_dir must be an absolute path, not "app"'],
    ['hostname: a_b', '.hostname must be a host name (letters, digits, "-" and "."), not "a_b"'],
    ['tty: perhaps', '.tty must be true or false, not "perhaps"'],
    ['environment: {"a=b": c}', '.environment has "a=b", which is no name of a variable'],
    ['environment: ["=x"]', '.environment has an empty name'],
    ['container_name: a/b', '.container_name is not valid: "a/b"'],
    ['container_name: 0123456789ab', /services\.web\.container_name: Invalid container name .* looks like an id/],
  ])
  assert.deepEqual(warningsOf('domainname: x.y'), ['services.web.domainname is not honoured: there is no hostname'])
  assert.throws(
    () => read('services: {a: {image: x, container_name: own}, b: {image: x, container_name: own}}'),
    /services\.b\.container_name is that of a, too/,
  )
})

test('pull_policy', () => {
  hold([
    ['pull_policy: always', { pull: 'always' }],
    ['pull_policy: if_not_present', { pull: 'missing' }],
    ['pull_policy: never', { pull: 'never' }],
    ['pull_policy: every_12h', { pull: 'missing' }],
  ])
  assert.deepEqual(warningsOf('pull_policy: daily'), [
    'services.web.pull_policy is taken as "missing", not honoured as "daily"',
  ])
  refused([
    ['pull_policy: build', '.pull_policy is "build", but images are not built here'],
    ['pull_policy: never_ever', /must be one of always, missing, if_not_present, never, not "never_ever"/],
  ])
})

test('build is told of with an image, and refused without', () => {
  assert.deepEqual(warningsOf('build: .'), ['services.web.build is not honoured: images are not built here'])
  assert.throws(() => read('services:\n  web:\n    build: {context: .}\n'), {
    message:
      'compose.yaml, line 3: services.web.build is not supported: images are not built here; build it first, and name it with "image"',
  })
  assert.throws(() => read('services: {web: {tty: true}}'), /services\.web needs "image"/)
})

describe('ports', () => {
  const port = (hostPort: number, containerPort: number, more = {}) => ({
    ...{ hostIp: '', hostPort, containerPort, protocol: 'tcp' as const },
    ...more,
  })

  test('in short and long syntax', () => {
    hold([
      ['ports: [3000, "3001"]', { ports: [port(0, 3000), port(0, 3001)] }],
      ['ports: ["8000:80", "0:81", ":82"]', { ports: [port(8000, 80), port(0, 81), port(0, 82)] }],
      ['ports: ["9090-9091:8080-8081"]', { ports: [port(9090, 8080), port(9091, 8081)] }],
      ['ports: ["3000-3001/udp"]', { ports: [port(0, 3000, { protocol: 'udp' }), port(0, 3001, { protocol: 'udp' })] }],
      ['ports: ["127.0.0.1:8001:80"]', { ports: [port(8001, 80, { hostIp: '127.0.0.1' })] }],
      [
        'ports: ["fd00::1:8001:80", "[fd00::2]:8001:80/UDP"]',
        { ports: [port(8001, 80, { hostIp: 'fd00::1' }), port(8001, 80, { hostIp: 'fd00::2', protocol: 'udp' })] },
      ],
      ['ports: ["127.0.0.1::80"]', { ports: [port(0, 80, { hostIp: '127.0.0.1' })] }],
      ['ports: [{target: 80}, {target: "81", published: 8081}]', { ports: [port(0, 80), port(8081, 81)] }],
      [
        'ports: [{target: 80, published: "8080", host_ip: 10.0.0.1, protocol: udp, mode: host}]',
        { ports: [port(8080, 80, { hostIp: '10.0.0.1', protocol: 'udp' })] },
      ],
      ['ports: [{target: 80, published: ""}]', { ports: [port(0, 80)] }],
      ['ports: ["80:80", {target: 80, published: 80}]', { ports: [port(80, 80)] }],
    ])
    assert.deepEqual(warningsOf('ports: [{target: 80, mode: ingress, name: a, app_protocol: http}]'), [
      'services.web.ports[0].name is not honoured',
      'services.web.ports[0].app_protocol is not honoured: nothing looks at what is sent',
    ])
  })

  test('what is none', () => {
    refused([
      ['ports: ["a:80"]', '.ports[0] is no port: "a" is neither a port nor a range of ports'],
      ['ports: [70000]', '.ports[0] is no port: "70000" is neither a port nor a range of ports'],
      ['ports: ["0"]', /Invalid port ":0\/tcp": "0" is not a port from 1 to 65535/],
      ['ports: ["80:"]', '.ports[0] is no port: want [[ip:]host:]container[/protocol], not "80:"'],
      ['ports: ["1-3:80-81"]', '.ports[0] is no port: 3 ports of the host do not match 2 of the container'],
      ['ports: ["1-60000"]', '.ports[0] is no port: a range may have 1024 ports at most'],
      ['ports: ["5-4"]', '.ports[0] is no port: "5-4" is neither a port nor a range of ports'],
      ['ports: ["80/tcp/x"]', /want \[\[ip:\]host:\]container/],
      ['ports: ["80/sctp"]', /protocol "sctp" is not tcp or udp/],
      ['ports: ["1.2.3:80:80"]', /"1\.2\.3" is not an IPv4 address/],
      [
        'ports: ["8000-9000:80"]',
        '.ports[0].published is "8000-9000", a range for one port: give one port of the host, or none for a free one',
      ],
      ['ports: [{published: "80"}]', '.ports[0] needs "target"'],
    ])
  })

  test('short and long syntax agree', () => {
    const number = fc.integer({ min: 1, max: 65_535 })
    const ip = fc.constantFrom('', '127.0.0.1', 'fd00::1')
    fc.assert(
      fc.property(ip, fc.option(number), number, fc.constantFrom('tcp', 'udp'), (host, published, target, protocol) => {
        const before = host === '' ? '' : host.includes(':') ? `[${host}]:` : `${host}:`
        const outside = published === null ? (host === '' ? '' : ':') : `${published}:`
        const long = {
          target,
          protocol,
          ...(published !== null && { published }),
          ...(host !== '' && { host_ip: host }),
        }
        const short = webOf(`ports: ["${before}${outside}${target}/${protocol}"]`).ports
        assert.deepEqual(short, webOf(`ports: [${JSON.stringify(long)}]`).ports)
        assert.deepEqual(short, [{ hostIp: host, hostPort: published ?? 0, containerPort: target, protocol }])
      }),
      { numRuns: 40 },
    )
  })

  test('of what has no network of its own are told', () => {
    assert.deepEqual(webOf('network_mode: host\nports: ["80:80"]').ports, [])
    assert.deepEqual(warningsOf('network_mode: none\nports: ["80:80"]'), [
      'services.web.ports are not published: the network mode is none',
    ])
  })
})

test('depends_on and links', () => {
  const started = { condition: 'started', required: true } as const
  hold([
    ['depends_on: [db, cache]', { dependsOn: { db: started, cache: started } }],
    [
      'depends_on: {db: {condition: service_healthy, restart: true}}',
      { dependsOn: { db: { condition: 'healthy', restart: true, required: true } } },
    ],
    [
      'depends_on: {db: {condition: service_completed_successfully, required: false}}',
      { dependsOn: { db: { condition: 'completed', required: false } } },
    ],
    ['links: [db]', { dependsOn: { db: { ...started, restart: true } } }],
    ['links: ["db:database"]\ndepends_on: [db]', { dependsOn: { db: started } }],
  ])
  refused([
    ['depends_on: [no]', '.depends_on.no: there is no service "no"'],
    ['links: ["no:x"]', '.links[0]: there is no service "no"'],
    ['links: ["db:a b"]', '.links[0] is "db:a b"; want a service, or service:alias'],
  ])
  const { db, cache } = read(withWeb('links: ["db:database", cache]')).spec.services
  assert.deepEqual(
    [db, cache].map((service) => service?.networks[0]?.aliases),
    [['database'], []],
  )
  assert.throws(() => read('services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [a]}\n'), {
    message: 'compose.yaml, line 1: services: one depends on itself: a -> b -> a',
  })
})

test('healthcheck', () => {
  hold([
    ['healthcheck: {test: curl -f x}', { healthcheck: { test: ['CMD-SHELL', 'curl -f x'] } }],
    [
      'healthcheck: {test: [CMD, a, b], interval: 1m30s, timeout: 10s, retries: "3", start_period: 40s, start_interval: 500ms}',
      {
        healthcheck: {
          test: ['CMD', 'a', 'b'],
          intervalMs: 90_000,
          timeoutMs: 10_000,
          retries: 3,
          startPeriodMs: 40_000,
          startIntervalMs: 500,
        },
      },
    ],
    ['healthcheck: {disable: true}', { healthcheck: { test: ['NONE'] } }],
    ['healthcheck: {test: ["NONE"]}', { healthcheck: { test: ['NONE'] } }],
    ['healthcheck: {interval: 5s}', { healthcheck: { intervalMs: 5000 } }],
  ])
  refused([
    [
      'healthcheck: {test: [curl, x]}',
      /services\.web\.healthcheck\.test: Invalid health check: the test is \["CMD", "program"/,
    ],
    ['healthcheck: {interval: "10"}', '.healthcheck.interval must be a duration such as 1m30s, not "10"'],
    ['healthcheck: {retries: -1}', '.healthcheck.retries must be an integer from 0 to 1000000, not -1'],
  ])
})

test('restart, also that of deploy, which wins', () => {
  const restart = (policy: object) => ({ options: { restart: policy } }) as Partial<BottleService>
  hold([
    ['restart: no', restart({ name: 'no' })],
    ['restart: always', restart({ name: 'always' })],
    ['restart: on-failure:5', restart({ name: 'on-failure', maxRetries: 5 })],
    ['restart: unless-stopped', restart({ name: 'unless-stopped' })],
    ['restart: always\ndeploy: {restart_policy: {condition: none}}', restart({ name: 'no' })],
    [
      'deploy: {restart_policy: {condition: on-failure, max_attempts: 3}}',
      restart({ name: 'on-failure', maxRetries: 3 }),
    ],
    ['deploy: {restart_policy: {}}', restart({ name: 'always' })],
  ])
  refused([
    ['restart: sometimes', /services\.web\.restart: Invalid restart policy "sometimes"/],
    [
      'deploy: {restart_policy: {condition: perhaps}}',
      /condition must be one of none, no, on-failure, any, always, unless-stopped, not "perhaps"/,
    ],
  ])
  assert.deepEqual(warningsOf('deploy: {restart_policy: {max_attempts: 3, delay: 5s}}'), [
    'services.web.deploy.restart_policy.delay is not honoured',
    'services.web.deploy.restart_policy.max_attempts is not honoured: only the condition on-failure has one',
  ])
})

test('replicas, and what only one of them can have', () => {
  hold([
    ['deploy: {replicas: 3}', { replicas: 3 }],
    ['scale: "2"', { replicas: 2 }],
    [
      'scale: 2\ndeploy: {replicas: 2, update_config: {order: start-first}}',
      { replicas: 2, updateOrder: 'start-first' },
    ],
    ['scale: 0', { replicas: 0 }],
    ['scale: 2\nports: ["80", "0:81"]', { replicas: 2 }],
  ])
  refused([
    ['scale: 2\ndeploy: {replicas: 3}', '.scale is 2, and deploy.replicas 3'],
    ['scale: -1', '.scale must be an integer from 0 to 1000, not -1'],
    ['scale: 1.5', /scale must be an integer or a text, not 1\.5/],
    ['container_name: one\nscale: 2', '.container_name: 2 replicas cannot all have the name one'],
    [
      'ports: ["80:80"]\nscale: 2',
      '.ports: 2 replicas cannot all have port 80 of the host; leave it out for free ones',
    ],
    ['deploy: {mode: global}', '.deploy.mode is not supported: only "replicated" is'],
  ])
})

test('resources, in both places', () => {
  const mib = 1024 * 1024
  hold([
    [
      'mem_limit: 64m\nmemswap_limit: 128M\nmem_reservation: 32mb',
      { resources: { memoryBytes: 64 * mib, memorySwapBytes: 128 * mib, memoryReservationBytes: 32 * mib } },
    ],
    ['mem_limit: 67108864\nmemswap_limit: -1', { resources: { memoryBytes: 64 * mib, memorySwapBytes: -1 } }],
    ['cpus: 1.5\ncpu_shares: 512\ncpuset: 0-1', { resources: { milliCpus: 1500, cpuShares: 512, cpusetCpus: '0-1' } }],
    ['cpus: "0.25"\npids_limit: 100', { resources: { milliCpus: 250, pids: 100 } }],
    ['pids_limit: -1\nmem_limit: 0\ncpus: 0', { resources: {} }],
    [
      'deploy: {resources: {limits: {cpus: "0.5", memory: 50M, pids: 10}, reservations: {memory: 20M}}}',
      { resources: { milliCpus: 500, memoryBytes: 50 * mib, pids: 10, memoryReservationBytes: 20 * mib } },
    ],
    ['mem_limit: 64m\ndeploy: {resources: {limits: {memory: 64M}}}', { resources: { memoryBytes: 64 * mib } }],
    ['cpu_quota: 50000', { resources: { milliCpus: 500 } }],
    ['cpu_quota: 50000\ncpu_period: 25000', { resources: { milliCpus: 2000 } }],
  ])
  refused([
    [
      'deploy: {resources: {limits: {memory: 32M}}}\nmem_limit: 64m',
      '.deploy.resources.limits.memory is not what services.web.mem_limit says',
    ],
    ['mem_limit: 1m', /services\.web: Invalid memory limit "1048576": no container starts with less than 6m/],
    ['mem_limit: lots', /services\.web\.mem_limit: Invalid size "lots"/],
    ['cpus: 0.001', /services\.web\.cpus: Invalid number of CPUs/],
    ['cpus: "one"', '.cpus must be a number, not "one"'],
    ['cpuset: 3-1', /Invalid list of CPUs/],
    [
      'deploy: {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}',
      /devices is not supported: only devices can give/,
    ],
  ])
  assert.deepEqual(warningsOf('deploy: {resources: {reservations: {cpus: "0.5"}}}'), [
    'services.web.deploy.resources.reservations.cpus is not honoured: nothing keeps CPUs for a container; cpu_shares gives it weight',
  ])
})

test('options', () => {
  const options = (wanted: BottleService['options']) => ({ options: wanted })
  hold([
    [
      'shm_size: 128m\noom_score_adj: -500\ninit: true\nprivileged: true',
      options({ shmBytes: 134217728, oomScoreAdj: -500, init: true, privileged: true }),
    ],
    ['ulimits: {nofile: 1024}', options({ ulimits: [both(1024)] })],
    ['ulimits: {nofile: {soft: 1024, hard: "4096"}}', options({ ulimits: [both(1024, 4096)] })],
    ['sysctls: {net.core.somaxconn: 1024}', options({ sysctls: { 'net.core.somaxconn': '1024' } })],
    ['sysctls: [net.core.somaxconn=1024]', options({ sysctls: { 'net.core.somaxconn': '1024' } })],
    [
      'devices: [/dev/fuse, "/dev/a:/dev/b:r", {source: /dev/c, permissions: rw}]',
      options({
        devices: [
          { source: '/dev/fuse', destination: '/dev/fuse', access: 'rwm' },
          { source: '/dev/a', destination: '/dev/b', access: 'r' },
          { source: '/dev/c', destination: '/dev/c', access: 'rw' },
        ],
      }),
    ],
    ['group_add: [audio, 1000]', options({ groupAdd: ['audio', '1000'] })],
    [
      'security_opt: ["no-new-privileges:true", seccomp=unconfined, "label:disable"]',
      options({ security: { noNewPrivileges: true, seccomp: 'unconfined' } }),
    ],
    ['pid: host\nipc: shareable\nuts: host', options({ pidMode: 'host', ipcMode: 'shareable', utsMode: 'host' })],
    [
      'dns: 8.8.8.8\ndns_search: [a.b]\ndns_opt: ["ndots:2"]',
      options({ dns: { servers: ['8.8.8.8'], search: ['a.b'], options: ['ndots:2'] } }),
    ],
    [
      'extra_hosts: ["a:10.0.0.1", "b=fd00::1", "c:host-gateway"]',
      options({
        extraHosts: [
          { name: 'a', address: '10.0.0.1' },
          { name: 'b', address: 'fd00::1' },
          { name: 'c', address: 'host-gateway' },
        ],
      }),
    ],
    [
      'extra_hosts: {a: 10.0.0.1, b: [10.0.0.2, "[fd00::1]"]}',
      options({
        extraHosts: [
          { name: 'a', address: '10.0.0.1' },
          { name: 'b', address: '10.0.0.2' },
          { name: 'b', address: 'fd00::1' },
        ],
      }),
    ],
    ['userns_mode: host\ncgroup: private', options({})],
  ])
  hold([
    ['cap_add: [net_admin, CAP_KILL]\ncap_drop: [ALL]', { capAdd: ['CAP_NET_ADMIN', 'CAP_KILL'], capDrop: ['ALL'] }],
    ['stop_signal: SIGUSR1\nstop_grace_period: 1m30s', { stopSignal: 'SIGUSR1', stopTimeoutMs: 90_000 }],
  ])
  refused([
    ['pid: "service:db"', /services\.web\.pid is "service:db", but each container of a bottle is alone/],
    ['ipc: "container:x"', /services\.web\.ipc is "container:x", but each container/],
    ['ulimits: {nofiles: 5}', /ulimits\.nofiles: Invalid ulimit .* did you mean nofile/],
    ['sysctls: {vm.swappiness: 1}', /services\.web\.sysctls: Invalid sysctl/],
    ['devices: [fuse]', /services\.web\.devices\[0\]: Invalid device "fuse"/],
    ['cap_add: [FLY]', /services\.web\.cap_add\[0\]: Unknown capability "FLY"/],
    ['security_opt: [seccomp]', /Invalid security option/],
    ['extra_hosts: [nope]', /services\.web\.extra_hosts\[0\]: Invalid extra host/],
    ['dns: [x]', /services\.web\.dns: Invalid DNS server "x"/],
    ['stop_grace_period: soon', /must be a duration such as 1m30s, not "soon"/],
    ['uts: host\nhostname: a', /services\.web: Cannot give a host name to a container with utsMode/],
    [
      'network_mode: host\nsysctls: {net.core.somaxconn: 1}',
      /services\.web: Cannot give the sysctl net\.core\.somaxconn/,
    ],
    ['gpus: all', '.gpus is not supported: only devices can give a container a device'],
    ['userns_mode: private', /userns_mode is not supported/],
    ['cgroup: host', /cgroup is not supported: a container has a cgroup namespace of its own/],
    ['runtime: runsc', /runtime is not supported/],
    ['post_start: [{command: a}]', /post_start is not supported/],
    ['volumes_from: [db]', /volumes_from is not supported: name the volumes in both services/],
    ['use_api_socket: true', /use_api_socket is not supported/],
    ['provider: {type: x}', /provider is not supported/],
    ['models: [m]', /models is not supported/],
  ])
  assert.deepEqual(warningsOf('security_opt: ["label:disable"]'), [
    'services.web.security_opt[0] is not honoured: there is no SELinux',
  ])
})

test('a seccomp profile is read by the client', () => {
  const disk = { '/srv/shop/p.json': '{"defaultAction": "SCMP_ACT_ALLOW"}', '/srv/shop/bad.json': '{' }
  const lines = 'security_opt: ["seccomp:./p.json"]'
  const { project, spec } = read(withWeb(lines), { disk })
  assert.deepEqual(spec.services['web']?.options.security, { seccomp: { defaultAction: 'SCMP_ACT_ALLOW' } })
  assert.deepEqual(project.services['web']?.security_opt, ['seccomp:{"defaultAction":"SCMP_ACT_ALLOW"}'])
  assert.throws(
    () => read(withWeb(lines)),
    /security_opt\[0\] names the file "\/srv\/shop\/p\.json", which only the client can read/,
  )
  assert.throws(
    () => read(withWeb('security_opt: [seccomp=bad.json]'), { disk }),
    /names the file \/srv\/shop\/bad\.json, which is no JSON/,
  )
})

test('what asks for nothing is passed over', () => {
  const lines =
    'logging: {}\ngpus: []\nattach: false\nmodels: []\nstorage_opt: {}\noom_kill_disable: false\npost_start: []'
  assert.deepEqual(warningsOf(lines), [])
})

test('lists of K=V and maps agree', () => {
  const key = fc.stringMatching(/^[A-Za-z_.-][A-Za-z0-9_.-]{0,8}$/)
  const value = fc.stringMatching(/^[ -~]{0,8}$/)
  fc.assert(
    fc.property(fc.dictionary(key, value), (map) => {
      const dollars = (text: string) => text.replaceAll('$', '$$$$')
      const asMap = JSON.stringify(Object.fromEntries(Object.entries(map).map(([name, text]) => [name, dollars(text)])))
      const asList = JSON.stringify(Object.entries(map).map(([name, text]) => `${name}=${dollars(text)}`))
      for (const field of ['environment', 'labels'] as const) {
        const [one, other] = [asMap, asList].map((spelling) => webOf(`${field}: ${spelling}`))
        assert.deepEqual(one, other)
        assert.deepEqual(
          one?.[field === 'labels' ? 'labels' : 'env'],
          field === 'labels' ? { ...map } : Object.entries(map).map(([name, text]) => `${name}=${text}`),
        )
      }
    }),
    { numRuns: 40 },
  )
})

test('names of services', () => {
  for (const name of ['Web', 'a.b', '-a', 'a'.repeat(64)]) {
    assert.throws(() => read(`services: {"${name}": {image: x}}`), /is no name of a service: use lower-case/, name)
  }
  assert.throws(
    () => read('services: {constructor: {image: x}, __proto__: {image: y}}'),
    /services\.__proto__ is no name/,
  )
})
