import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { IptablesModel } from '../../../test/support/iptables-model.ts'
import { type Chain, countCommits, countUses, jumpTarget, renderChange, renderRebuild } from '../iptables-text.ts'
import { findServiceChains, type ServiceLayout, serviceRenderer } from './service-chains.ts'
import type { ServiceRule } from './service-rule.ts'

const layout: ServiceLayout = { bridge: 'raind0', subnet: '10.96.0.0/16', bridges: ['raind0', 'front'] }
const other: ServiceLayout = { bridge: 'raind1', subnet: '10.97.0.0/16', bridges: ['raind1'] }

const web: ServiceRule = {
  uid: '0b9d3a4e-6f0c-4a68-9a50-5f7dd1b4b3a1',
  namespace: 'default',
  name: 'web',
  portName: 'http',
  protocol: 'tcp',
  clusterIp: '10.96.0.5',
  port: 443,
  nodePort: 30080,
  hostPort: 443,
  endpoints: [1, 2, 3].map((host) => ({ address: `10.166.0.${host}`, port: 8080 })),
}
const lonely: ServiceRule = {
  uid: 'f5d1d2b8-4f5e-4a56-8f4c-9f7f5a0b6c11',
  namespace: 'shop',
  name: 'dns',
  portName: '',
  protocol: 'udp',
  clusterIp: '10.96.0.6',
  port: 53,
  nodePort: 30053,
  endpoints: [],
}

const serviceArbitrary: fc.Arbitrary<ServiceRule> = fc
  .record({
    uid: fc.uuid(),
    portName: fc.constantFrom('', 'http', 'dns'),
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
    address: fc.nat(5),
    port: fc.integer({ min: 1, max: 3 }),
    nodePort: fc.option(fc.integer({ min: 30_000, max: 30_003 }), { nil: undefined }),
    endpoints: fc.array(fc.record({ address: fc.integer({ min: 1, max: 4 }), port: fc.integer({ min: 80, max: 81 }) })),
  })
  .map(({ address, nodePort, endpoints, ...rest }) => ({
    ...rest,
    namespace: 'default',
    name: 'any',
    ...(address > 0 && { clusterIp: `10.96.0.${address}` }),
    ...(nodePort !== undefined && { nodePort }),
    endpoints: endpoints.map(({ address, port }) => ({ address: `10.166.0.${address}`, port })),
  }))
const servicesArbitrary = fc.uniqueArray(serviceArbitrary, {
  selector: ({ uid }) => uid,
  maxLength: 6,
})

const render = (services: readonly ServiceRule[], where = layout) => serviceRenderer()(services, where)
const fill = (chains: readonly Chain[]) => renderChange([], chains)

/** What there would be of ours; chains have no order. */
function saved(...texts: string[]): string[] {
  const model = new IptablesModel()
  for (const text of texts) model.restore(text)
  return ours(model)
}

function ours(model: IptablesModel): string[] {
  return model
    .save()
    .split('\n')
    .filter((line) => line.includes('RAIND'))
    .sort()
}

describe('serviceRenderer', () => {
  test('renders one Service that is served, and one that is not', () => {
    assert.equal(
      fill(render([lonely, web])),
      `*filter
:RAIND-NOEP-raind0 - [0:0]
-A RAIND-NOEP-raind0 -p udp -m udp --dport 30053 -m comment --comment "shop/dns" -j REJECT --reject-with icmp-port-unreachable
-I INPUT 1 -m conntrack --ctstate NEW -m addrtype --dst-type LOCAL -j RAIND-NOEP-raind0
COMMIT
*nat
:RAIND-SEP-e47c56f8300ced29 - [0:0]
:RAIND-SEP-8187e316d3613b85 - [0:0]
:RAIND-SEP-c45e26d3eb9b0383 - [0:0]
:RAIND-SVC-ace6da307dba9ea8 - [0:0]
:RAIND-SVCS-raind0 - [0:0]
:RAIND-NODE-raind0 - [0:0]
-A RAIND-SEP-e47c56f8300ced29 -p tcp -j DNAT --to-destination 10.166.0.1:8080
-A RAIND-SEP-8187e316d3613b85 -p tcp -j DNAT --to-destination 10.166.0.2:8080
-A RAIND-SEP-c45e26d3eb9b0383 -p tcp -j DNAT --to-destination 10.166.0.3:8080
-A RAIND-SVC-ace6da307dba9ea8 -m statistic --mode random --probability 0.33333333349 -j RAIND-SEP-e47c56f8300ced29
-A RAIND-SVC-ace6da307dba9ea8 -m statistic --mode random --probability 0.50000000000 -j RAIND-SEP-8187e316d3613b85
-A RAIND-SVC-ace6da307dba9ea8 -j RAIND-SEP-c45e26d3eb9b0383
-A RAIND-SVCS-raind0 -d 10.96.0.5/32 -p tcp -m tcp --dport 443 -m comment --comment "default/web:http" -j RAIND-SVC-ace6da307dba9ea8
-A RAIND-NODE-raind0 -p tcp -m tcp --dport 30080 -m comment --comment "default/web:http" -j RAIND-SVC-ace6da307dba9ea8
-A RAIND-NODE-raind0 -p tcp -m tcp --dport 443 -m comment --comment "default/web:http" -j RAIND-SVC-ace6da307dba9ea8
-I PREROUTING 1 -d 10.96.0.0/16 -i raind0 -j RAIND-SVCS-raind0
-I PREROUTING 1 -d 10.96.0.0/16 -i front -j RAIND-SVCS-raind0
-I OUTPUT 1 -d 10.96.0.0/16 -j RAIND-SVCS-raind0
-I PREROUTING 1 ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j RAIND-NODE-raind0
-I OUTPUT 1 -m addrtype --dst-type LOCAL -j RAIND-NODE-raind0
COMMIT
`,
    )
  })

  test('gives each of n endpoints 1/n of the connections', () => {
    for (let count = 1; count <= 200; count++) {
      const endpoints = Array.from({ length: count }, (_, index) => ({ address: `10.166.1.${index}`, port: 80 }))
      const choice = render([{ ...web, endpoints }]).find(({ name }) => name.startsWith('RAIND-SVC-'))!
      let left = 1
      for (const rule of choice.rules) {
        const share = left * Number(/--probability (\S+)/.exec(rule)?.[1] ?? 1)
        assert.ok(Math.abs(share - 1 / count) < 1e-8, `${share} of ${count}`)
        left -= share
      }
      assert.equal(new Set(choice.rules.map(jumpTarget)).size, count)
    }
  })

  test('a Service that nothing leads to has no chains', () => {
    const { clusterIp: _1, nodePort: _2, hostPort: _3, ...headless } = web
    assert.deepEqual(render([headless]), [])
  })

  test('a Service with one endpoint has nothing to choose', () => {
    const chains = render([{ ...web, endpoints: [{ address: '10.166.0.1', port: 80 }] }])
    assert.doesNotMatch(fill(chains), /statistic/)
  })

  test('names differ, fit, and lead only to chains that come before', () => {
    fc.assert(
      fc.property(servicesArbitrary, (services) => {
        const before = new Set<string>()
        for (const { name, rules } of render(services)) {
          assert.ok(!before.has(name), name)
          assert.ok(name.length <= 28, name)
          for (const target of rules.map(jumpTarget).filter((it) => it.startsWith('RAIND-'))) {
            assert.ok(before.has(target), `${name} to ${target}`)
          }
          before.add(name)
        }
      }),
    )
  })

  test('every part of a port gives another name', () => {
    const choices = [
      web,
      { ...web, uid: lonely.uid },
      { ...web, protocol: 'udp' as const },
      { ...web, portName: 'other' },
      { ...web, portName: '' },
      { ...web, portName: '', port: 80 },
    ].map((service) => render([service]).map(({ name }) => name))
    const names = choices.flat().filter((name) => /SVC-|SEP-/.test(name))
    assert.equal(new Set(names).size, choices.length * 4)
  })

  test('the order of Services and endpoints, and an endpoint that is there twice, are nothing to it', () => {
    const [first, ...rest] = web.endpoints
    const text = fill(render([{ ...web, endpoints: [...rest, first!, ...rest] }, lonely]))
    assert.equal(text, fill(render([lonely, web])))
  })

  test('a change of one endpoint fills its chain and that of its Service, and no other', () => {
    const renderer = serviceRenderer()
    const second = { ...web, uid: lonely.uid, name: 'second', clusterIp: '10.96.0.7' }
    const [first, ...rest] = web.endpoints
    const before = renderer([web, second], layout)
    const after = renderer([{ ...web, endpoints: [{ address: '10.166.0.9', port: 80 }, ...rest] }, second], layout)
    const text = renderChange(before, after)
    const written = text.match(/^:\S+/gm)!.map((line) => line.slice(1))
    const names = (chains: readonly Chain[]) => chains.map(({ name }) => name)
    const gone = names(before).filter((name) => !names(after).includes(name))
    const added = names(after).filter((name) => !names(before).includes(name))
    assert.equal(gone.length, 1, `the chain of ${first!.address}`)
    assert.equal(added.length, 1)
    assert.equal(written.length, 3)
    for (const name of [...gone, ...added]) assert.ok(written.includes(name))
    assert.deepEqual(text.match(/^-X.*/gm), [`-X ${gone[0]}`])
    assert.doesNotMatch(text, /^-[ID]/m)
  })
})

describe('what is put in force', () => {
  test('is what is wanted, by a change and by a rebuild alike, whatever was there; and then there is nothing to do', () => {
    fc.assert(
      fc.property(servicesArbitrary, servicesArbitrary, (old, wanted) => {
        // What both have in common changes its endpoints.
        const next = [
          ...wanted,
          ...old.slice(1).map((service) => ({ ...service, endpoints: wanted[0]?.endpoints ?? [] })),
        ]
        const [before, after] = [render(old), render(next, { ...layout, bridges: ['raind0'] })]
        const expected = saved(fill(after))
        assert.deepEqual(saved(fill(before), renderChange(before, after)), expected)

        const model = new IptablesModel()
        model.restore(fill(before))
        const names = new Set(after.map(({ name }) => name))
        const retired = findServiceChains(model.save(), 'raind0').filter(({ name }) => !names.has(name))
        model.restore(renderRebuild(after, retired, model.save()))
        assert.deepEqual(ours(model), expected)
        assert.equal(renderRebuild(after, [], model.save()), '')
      }),
    )
  })

  test('goes in several commits if it is much, each of which the kernel takes; and goes away again', () => {
    const many = Array.from({ length: 60 }, (_, index) => ({
      ...web,
      uid: `uid-${index}`,
      name: `web-${index}`,
      endpoints: Array.from({ length: 10 }, (_, host) => ({ address: `10.166.${index}.${host + 1}`, port: 80 })),
    }))
    const chains = render(many)
    assert.ok(countCommits(fill(chains)) > 3)
    const model = new IptablesModel()
    model.restore(fill(chains))
    assert.equal(renderRebuild(chains, [], model.save()), '')
    const fixed = render([lonely])
    const found = findServiceChains(model.save(), 'raind0').filter(({ name }) => /SVC-|SEP-/.test(name))
    assert.equal(found.length, 60 * 11)
    assert.deepEqual(saved(fill(chains), renderRebuild(fixed, found, model.save())), saved(fill(fixed)))
    assert.deepEqual(saved(fill(chains), renderChange(chains, fixed)), saved(fill(fixed)))
  })

  test('is counted as the kernel counts it', () => {
    const uses = countUses(render([web, lonely]))
    const of = (pattern: RegExp) => [...uses].filter(([key]) => pattern.test(key)).map(([, use]) => use)
    assert.deepEqual(of(/SEP-/), [2, 2, 2])
    assert.deepEqual(of(/SVC-/), [3 + 3])
    assert.deepEqual(of(/SVCS-/), [1 + 3])
    assert.deepEqual(of(/NODE-/), [2 + 2])
    assert.deepEqual(of(/NOEP-/), [1 + 1])
  })
})

describe('findServiceChains', () => {
  test('finds all that is there of one daemon, and nothing of another', () => {
    const model = new IptablesModel()
    const [first, second] = [render([web]), render([{ ...web, uid: 'another' }], other)]
    model.restore(fill(first))
    model.restore(fill(second))
    const found = (bridge: string) => findServiceChains(model.save(), bridge).map(({ name }) => name)
    assert.deepEqual(found('raind0').sort(), first.map(({ name }) => name).sort())
    assert.deepEqual(found('raind1').sort(), second.map(({ name }) => name).sort())
    assert.deepEqual(found('raind2'), [])
    model.restore(renderRebuild([], findServiceChains(model.save(), 'raind0'), model.save()))
    assert.deepEqual(found('raind0'), [])
    assert.equal(renderRebuild(second, [], model.save()), '')
  })

  test('does not follow a jump to what is none of ours', () => {
    const model = new IptablesModel()
    const chains = render([web])
    model.restore(fill(chains))
    model.restore('*nat\n:DOCKER - [0:0]\n-A RAIND-SVCS-raind0 -j DOCKER\nCOMMIT\n')
    assert.ok(!findServiceChains(model.save(), 'raind0').some(({ name }) => name === 'DOCKER'))
  })
})

test('the text of iptables-save is recognised whatever number of digits it has', () => {
  const model = new IptablesModel()
  const chains = render([web])
  model.restore(fill(chains))
  for (const [ours, theirs] of [
    ['0.33333333349', '0.3333333335'],
    ['0.50000000000', '0.5'],
  ] as const) {
    const text = model.save()
    assert.ok(text.includes(ours))
    assert.equal(renderRebuild(chains, [], text.replaceAll(ours, theirs)), '')
  }
  assert.match(renderRebuild(chains, [], model.save().replace('0.50000000000', '0.50000000047')), /statistic/)
})
