import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { read, warningsOf, webOf, withWeb } from '../../test/support/compose.ts'

describe('the networks of a service', () => {
  const rest = `networks:
  front: {}
  back: {ipam: {config: [{subnet: 10.9.0.0/24}, {subnet: "fd09::/64"}]}}
  aside: {external: true}
`
  test('are those it names, or default', () => {
    assert.deepEqual(
      webOf('networks: [front, back]', rest).networks.map(({ network }) => network),
      ['back', 'front'],
    )
    assert.deepEqual(webOf('networks: []', rest).networks, [{ network: 'default', aliases: [] }])
    const { spec } = read(withWeb('networks: [front]', rest))
    assert.deepEqual(Object.keys(spec.networks), ['default', 'front'])
    assert.deepEqual(Object.keys(read(withWeb('networks: {default: {aliases: [a]}}', rest)).spec.networks), ['default'])
  })

  test('have aliases, addresses and an order', () => {
    const lines = `networks:
  front: {aliases: [www, www2], priority: 5}
  back: {ipv4_address: 10.9.0.7, ipv6_address: "fd09:0::7", priority: 1}
  aside: {gw_priority: 1, ipv4_address: 10.1.1.1}`
    assert.deepEqual(webOf(lines, rest).networks, [
      { network: 'aside', aliases: [], address: '10.1.1.1' },
      { network: 'front', aliases: ['www', 'www2'] },
      { network: 'back', aliases: [], address: '10.9.0.7', address6: 'fd09::7' },
    ])
    assert.deepEqual(warningsOf('networks: {front: {mac_address: "02:42:ac:11:00:02", driver_opts: {a: b}}}', rest), [
      'services.web.networks.front.mac_address is not honoured',
      'services.web.networks.front.driver_opts is not honoured',
    ])
  })

  test('or there is a mode', () => {
    const modeOf = (mode: string) => {
      const { networks, networkMode } = webOf(`network_mode: ${mode}`)
      return [networkMode, networks]
    }
    assert.deepEqual(modeOf('host'), ['host', []])
    assert.deepEqual(modeOf('none'), ['none', []])
    assert.deepEqual(modeOf('bridge'), ['bridge', []])
    assert.deepEqual(Object.keys(read(withWeb('network_mode: bridge')).spec.networks), ['default'])
  })

  test('what is wrong', () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['networks: [no]', /line 4: services\.web\.networks\.no is not under networks/],
      ['networks: [constructor]', /networks\.constructor is not under networks/],
      ['networks: [front]\nnetwork_mode: host', /network_mode cannot be there beside networks/],
      [
        'network_mode: "service:db"',
        /network_mode is "service:db", but each container of a bottle is alone in its namespaces: use a pod/,
      ],
      ['network_mode: "container:x"', /is "container:x", but each container/],
      ['network_mode: other', /must be host, none or bridge, not "other"/],
      ['networks: {front: {aliases: ["a b"]}}', /aliases\[0\] is "a b", which is no name of a host/],
      ['networks: {front: {ipv4_address: 10.0.0.1}}', /ipv4_address needs a network with a subnet of IPv4/],
      [
        'networks: {back: {ipv4_address: 10.8.0.1}}',
        /ipv4_address is 10\.8\.0\.1, which is no address of 10\.9\.0\.0\/24/,
      ],
      ['networks: {back: {ipv4_address: "fd09::1"}}', /must be an address of IPv4, not "fd09::1"/],
      ['networks: {back: {ipv4_address: 10.9.0.5}}\nscale: 2', /2 replicas cannot all have the address 10\.9\.0\.5/],
    ]
    for (const [lines, message] of cases) assert.throws(() => read(withWeb(lines, rest)), { message }, lines)
  })
})

describe('networks', () => {
  const networkOf = (entry: string) => read(withWeb('networks: [n]', `networks: {n: ${entry}}`)).spec.networks['n']

  test('have names, subnets, labels and an MTU', () => {
    assert.deepEqual(networkOf(''), { labels: {} })
    assert.deepEqual(networkOf('{name: own, labels: [a=b], driver: bridge}'), { name: 'own', labels: { a: 'b' } })
    assert.deepEqual(networkOf('{ipam: {config: [{subnet: 10.9.0.0/24, gateway: 10.9.0.5}]}}'), {
      subnet: '10.9.0.0/24',
      gateway: '10.9.0.5',
      labels: {},
    })
    assert.deepEqual(networkOf('{enable_ipv6: true}'), { ipv6: true, labels: {} })
    assert.deepEqual(networkOf('{ipam: {driver: default, config: [{subnet: "fd09::/64", gateway: "fd09::5"}]}}'), {
      subnet6: 'fd09::/64',
      gateway6: 'fd09::5',
      ipv6: true,
      labels: {},
    })
    assert.deepEqual(networkOf('{driver_opts: {com.docker.network.driver.mtu: "1400"}}'), { mtu: 1400, labels: {} })
  })

  test('may be there already', () => {
    assert.deepEqual(networkOf('{external: true}'), { name: 'n', external: true, labels: {} })
    assert.deepEqual(networkOf('{external: "true", name: own}'), { name: 'own', external: true, labels: {} })
    assert.deepEqual(networkOf('{external: {name: old}}'), { name: 'old', external: true, labels: {} })
    assert.deepEqual(networkOf('{external: false, internal: "false"}'), { labels: {} })
  })

  test('what is not honoured is told', () => {
    const entry =
      '{attachable: true, driver_opts: {a: b}, ipam: {config: [{subnet: 10.9.0.0/24, ip_range: 10.9.0.0/25}]}}'
    assert.deepEqual(warningsOf('networks: [n]', `networks: {n: ${entry}}`), [
      'networks.n.attachable is not honoured: there is one host',
      'networks.n.ipam.config[0].ip_range is not honoured',
      'networks.n.driver_opts.a is not honoured',
    ])
  })

  test('what is wrong', () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['{driver: overlay}', /line 7: networks\.n\.driver is not supported: only bridge is/],
      ['{internal: true}', /networks\.n\.internal is not supported: a network leads out/],
      ['{internal: "yes"}', /networks\.n\.internal is not supported/],
      ['{enable_ipv4: "false"}', /enable_ipv4 is not supported/],
      ['{enable_ipv4: false}', /enable_ipv4 is not supported: each network has IPv4/],
      ['{ipam: {driver: dhcp}}', /ipam\.driver is not supported: only default is/],
      ['{ipam: {config: [{subnet: 10.9.0.1/24}]}}', /ipam\.config\[0\]\.subnet: Invalid subnet "10\.9\.0\.1\/24"/],
      [
        '{ipam: {config: [{subnet: 10.9.0.0/24}, {subnet: 10.8.0.0/24}]}}',
        /config\[1\]\.subnet is a second one of IPv4/,
      ],
      [
        '{ipam: {config: [{subnet: 10.9.0.0/24, gateway: 10.8.0.1}]}}',
        /gateway is "10\.8\.0\.1", which is no address of 10\.9\.0\.0\/24/,
      ],
      ['{ipam: {config: [{gateway: 10.8.0.1}]}}', /config\[0\]\.gateway needs a subnet/],
      [
        '{enable_ipv6: false, ipam: {config: [{subnet: "fd09::/64"}]}}',
        /enable_ipv6 is false, and there is the subnet fd09::\/64/,
      ],
      ['{driver_opts: {com.docker.network.driver.mtu: 5}}', /mtu must be an integer from 576 to 65535, not 5/],
      ['{external: true, driver: bridge}', /networks\.n is external, and not made here: leave out driver/],
      ['{name: "a b"}', /networks\.n\.name: Invalid network name "a b"/],
    ]
    for (const [entry, message] of cases) {
      assert.throws(() => networkOf(entry), { code: 'invalid_argument', message }, entry)
    }
  })
})
