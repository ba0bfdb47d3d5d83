import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { type KubeObject, kubeFixture } from '../support/kube-fixture.ts'
import { replicaSetManifest } from '../support/manifests.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { followObjects } from '../support/object-stream.ts'

runInOwnNamespaces(import.meta.filename)

const OBEYS = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1 & wait; done']
const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n')
const configMap = (name: string, more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...more },
  data: { a: 'b' },
})

describe('manifests of strangers', () => {
  const the = kubeFixture()
  const api = () => the().fixture.daemon.api
  const apply = (text: string, query = '') => api().post(`/v1/resource/apply?${query}`, text)
  const refused = async (text: string, message: RegExp, status = 400) => {
    const answer = await apply(text)
    assert.equal(answer.status, status, answer.text.slice(0, 500))
    assert.match(answer.json.message, message)
    return answer.json
  }
  const owned = (name: string, owner: KubeObject, more: object = {}) =>
    configMap(name, {
      ownerReferences: [
        { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.metadata.name, uid: owner.metadata.uid, ...more },
      ],
    })
  const isThere = async (kind: string, name: string, namespace = 'default') =>
    (await api().get(`/v1/objects/${kind}/${name}?namespace=${namespace}`)).status === 200
  const untilGone = async (kind: string, name: string, namespace = 'default') => {
    // Opened first, so that it cannot go unseen.
    using stream = await followObjects(the().fixture.home, kind, `namespace=${namespace}`)
    if (!(await isThere(kind, name, namespace))) return
    await stream.until((object, type) => type === 'DELETED' && object.metadata.name === name)
  }
  const pod = (spec: object = {}, metadata: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', ...metadata },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image: the().image, command: OBEYS }],
      ...spec,
    },
  })

  describe('that are large', () => {
    test('20,000 keys are read, and others are answered meanwhile', async () => {
      const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: many}\ndata:\n${lines(20_000, (i) => `  k${i}: v`)}\n`
      const order: string[] = []
      const applied = apply(text).then((answer) => {
        order.push('apply')
        return answer
      })
      const version = await api().get('/v1/version')
      order.push('version')
      assert.equal(version.status, 200)
      assert.equal((await applied).status, 201)
      assert.deepEqual(order, ['version', 'apply'])
      assert.equal(Object.keys((await the().get('configmap', 'many')).data).length, 20_000)
      const again = text.replace('k7: v', 'k8: v')
      await refused(again, /the key "k8" is there twice, at line 13/)
    })

    test('what takes too much of anything is refused', async () => {
      await refused(`a: ${'x'.repeat(9 * 1024 * 1024)}`, /larger than the 8388608 bytes/, 413)
      const keys = lines(600_000, (i) => `  k${i}: v`)
      await refused(
        `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: many}\ndata:\n${keys}\n`,
        /too large|too much memory|longer than|at most/,
      )
      await refused(
        lines(5001, () => 'a: 1\n---'),
        /more than 5000 objects/,
      )
      const huge = {
        ...configMap('huge'),
        data: {},
        binaryData: {},
        metadata: { name: 'huge', labels: {} as Record<string, string> },
      }
      for (let index = 0; index < 50_000; index++) huge.metadata.labels[`l${index}`] = 'x'.repeat(30)
      await refused(JSON.stringify(huge), /too large: an object may have 1572864 bytes/)
      assert.equal((await api().get('/v1/version')).status, 200)
    })

    test('what is deep, or made of aliases, is refused', async () => {
      for (const text of [
        '['.repeat(100_000),
        `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`,
        `${'- '.repeat(20_000)}x`,
        `${'{a: '.repeat(20_000)}1${'}'.repeat(20_000)}`,
        `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`,
      ]) {
        await refused(text, /document 1: .*(nested|deep|flow)/)
      }
      const bomb = lines(30, (i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`)
      await refused(`a0: &a0 [x]\n${bomb}`, /Excessive alias count/)
      const merges = lines(30, (i) => `a${i + 1}: &a${i + 1} {<<: [*a${i}, *a${i}]}`)
      await refused(`a0: &a0 {x: 1}\n${merges}`, /Excessive alias count/)
      await refused(`{"apiVersion":${'['.repeat(90)}${']'.repeat(90)},"kind":"Pod"}`, /apiVersion of Pod is v1/)
    })

    test('2000 objects of each kind are applied, again, and deleted in one go', async () => {
      const objects = Array.from({ length: 2000 }, (_, index) => [
        configMap(`c${index}`),
        {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: `s${index}` },
          spec: { type: 'ClusterIP', ports: [{ port: 80 }] },
        },
      ]).flat()
      const team = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } }
      const text = [team, ...objects].map((object) => JSON.stringify(object)).join('\n---\n')
      for (const action of ['created', 'unchanged']) {
        const { status, json } = await apply(text)
        assert.equal(status, 201, json.message)
        assert.ok(json.data.results.every((result: KubeObject) => result.action === action))
      }
      const services = await the().list('service')
      assert.equal(new Set(services.map(({ spec }) => spec.clusterIP)).size, 2000)
      assert.equal((await api().post('/v1/resource/delete', text)).status, 200)
      assert.deepEqual(await the().list('configmap'), [])
    })
  })

  describe('that are wrong', () => {
    test('each document that is at fault is told, and none is applied', async () => {
      const text = [
        JSON.stringify(configMap('good')),
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Bad_Name}\ndata: {a: 1}',
        'a: [1',
        'apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns}, spec: {}}, {kind: Job}]',
      ].join('\n---\n')
      const { message, data, code } = await refused(text, /^4 of 5 objects are refused:\n/)
      assert.equal(code, 'invalid_argument')
      const told = data.results.map(({ message: _, code: __, faults, ...rest }: KubeObject) => ({
        ...rest,
        paths: faults.map(({ path }: KubeObject) => path),
      }))
      assert.deepEqual(told, [
        { document: 2, place: 'document 2', kind: 'ConfigMap', name: 'Bad_Name', paths: ['data.a'] },
        { document: 3, place: 'document 3', paths: [] },
        {
          document: 4,
          place: 'document 4, item 1',
          kind: 'Pod',
          namespace: 'ns',
          name: 'p',
          paths: ['spec.containers'],
        },
        { document: 4, place: 'document 4, item 2', kind: 'Job', paths: [] },
      ])
      assert.match(message, /document 2: ConfigMap "Bad_Name": "data.a" must be a string, not 1/)
      assert.ok(!(await isThere('configmap', 'good')))
    })

    test('what is refused in the transaction is told of each, too', async () => {
      await the().apply({ ...configMap('fixed'), immutable: true }, { ...configMap('fixed2'), immutable: true })
      const changed = [configMap('fixed'), configMap('new'), configMap('fixed2')]
      const text = changed
        .map((object) => JSON.stringify({ ...object, immutable: true, data: { a: 'c' } }))
        .join('\n---\n')
      const { data } = await refused(text, /2 of 3 objects are refused/, 409)
      assert.deepEqual(
        data.results.map(({ document, name, code, faults }: KubeObject) => [document, name, code, faults[0].path]),
        [
          [1, 'fixed', 'failed_precondition', 'data.a'],
          [3, 'fixed2', 'failed_precondition', 'data.a'],
        ],
      )
      assert.ok(!(await isThere('configmap', 'new')))
      const gone = await api().post('/v1/resource/delete', changed.map((one) => JSON.stringify(one)).join('\n---\n'))
      assert.equal(gone.status, 404)
      assert.deepEqual(
        gone.json.data.results.map(({ document, name }: KubeObject) => [document, name]),
        [[2, 'new']],
      )
      assert.ok(await isThere('configmap', 'fixed'))
    })

    test('values of every odd kind are refused or kept as they are', async () => {
      const cases: readonly [string, RegExp][] = [
        ['null', /^$/],
        ['[]', /document 1: an object of Kubernetes is wanted/],
        ['"text"', /an object of Kubernetes is wanted/],
        ['5', /an object of Kubernetes is wanted/],
        ['{"kind":5}', /kind is required/],
        ['{"kind":"__proto__","apiVersion":"v1"}', /unsupported kind: __proto__/],
        ['{"kind":"constructor","apiVersion":"v1"}', /unsupported kind: constructor/],
        ['{"kind":"Pod","apiVersion":"v1","metadata":[]}', /"metadata" must be an object/],
        [
          '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"},"spec":{"__proto__":{}}}',
          /"spec.__proto__" is unknown/,
        ],
        ['{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"},"__proto__":{"spec":{}}}', /"__proto__" is unknown/],
        ['{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","name":"b"}}', /the key "name" is there twice/],
        ['{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a\\u0000"}}', /must not contain a NUL character/],
        [`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"${'a'.repeat(300)}"}}`, /at most 253 characters/],
        ['{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"ü"}}', /must be made of/],
        ['{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","namespace":"../x"}}', /"metadata.namespace"/],
        [
          'kind: ConfigMap\napiVersion: v1\nmetadata: {name: 2001-01-01, labels: {a: 0644}}',
          /must be a string, not 420/,
        ],
        ['kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\ndata: {a: .inf}', /must be a string, not Infinity/],
        [
          'kind: ReplicaSet\napiVersion: apps/v1\nmetadata: {name: a}\nspec: {replicas: 1e400}',
          /spec.replicas" must be an integer, not Infinity/,
        ],
        [
          'kind: ReplicaSet\napiVersion: apps/v1\nmetadata: {name: a}\nspec: {replicas: 2147483648}',
          /spec.replicas" must be at most 2147483647/,
        ],
        [
          'kind: ReplicaSet\napiVersion: apps/v1\nmetadata: {name: a}\nspec: {replicas: 1.5}',
          /spec.replicas" must be an integer/,
        ],
        [
          'kind: ReplicaSet\napiVersion: apps/v1\nmetadata: {name: a}\nspec: {replicas: -1}',
          /spec.replicas" must be at least 0/,
        ],
      ]
      for (const [text, message] of cases) {
        const { status, json } = await apply(text)
        if (message.source === '^$') assert.equal(status, 201, text)
        else {
          assert.equal(status, 400, `${text}: ${json.message}`)
          assert.match(json.message, message, text)
        }
      }
      const odd = { __proto__x: 'a', constructor: 'b', toString: 'd' }
      const text = JSON.stringify({ ...configMap('odd'), data: odd }).replace('"__proto__x"', '"__proto__"')
      for (const action of ['created', 'unchanged']) {
        const { status, json } = await apply(text)
        assert.equal(status, 201, json.message)
        assert.equal(json.data.results[0].action, action)
      }
      const kept = (await api().get('/v1/objects/configmap/odd')).text
      assert.match(kept, /"__proto__":"a"/)
      assert.match(kept, /"toString":"d"/)
    })

    test('one object twice, and documents that fight', async () => {
      const twice = [configMap('one'), { ...configMap('one'), data: { b: 'c' } }]
      const text = twice.map((object) => JSON.stringify(object)).join('\n---\n')
      const { status, json } = await apply(text)
      assert.equal(status, 201, json.message)
      assert.deepEqual(
        json.data.results.map(({ action }: KubeObject) => action),
        ['created', 'configured'],
      )
      assert.deepEqual((await the().get('configmap', 'one')).data, { b: 'c' })
      const service = (name: string) => ({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name },
        spec: { clusterIP: '10.167.0.77', ports: [{ port: 80 }] },
      })
      await refused(
        [service('a'), service('b')].map((object) => JSON.stringify(object)).join('\n---\n'),
        /Cannot give Service "b" the address 10.167.0.77: Service "a"/,
        409,
      )
      assert.ok(!(await isThere('service', 'a')))
      // What one gives up another may take.
      await the().apply(service('a'))
      const deleted = await api().post('/v1/resource/delete', text)
      assert.equal(deleted.status, 200, deleted.text)
    })
  })

  describe('and what becomes of them', () => {
    // It waits for a ConfigMap, and nothing of it runs.
    const waits = () => ({
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', image: the().image }],
      volumes: [{ name: 'v', configMap: { name: 'never' } }],
    })
    const set = (replicas: number, more?: object) => replicaSetManifest('web', replicas, waits(), more)

    test('2^31 replicas: no more pods than there may be, and all else goes on', async () => {
      await the().apply(set(0))
      for (const replicas of [2 ** 31, 1e30, -1, 1.5, '5', null]) {
        const answer = await api().post('/v1/replicasets/web/actions/scale', { replicas })
        assert.equal(answer.status, 400, answer.text)
      }
      const scaled = await api().post('/v1/replicasets/web/actions/scale', { replicas: 2 ** 31 - 1 })
      assert.equal(scaled.status, 200, scaled.text)
      await the().until('replicaset', 'web', ({ status }) => status.replicas >= 100)
      assert.equal((await api().get('/v1/images')).status, 200)
      const full = await the().until('replicaset', 'web', ({ status }) => status.conditions !== undefined, 300_000)
      assert.equal(full.status.conditions[0].type, 'ReplicaFailure')
      assert.equal(full.status.replicas, 1000)
      await eventually(
        () => the().events('replicaset', 'web'),
        (events) => events.some(({ reason }) => reason === 'FailedCreate'),
      )
      await api().post('/v1/replicasets/web/actions/scale', { replicas: 0 })
      const isEmpty = ({ status }: KubeObject) => status.replicas === 0 && status.conditions === undefined
      await the().until('replicaset', 'web', isEmpty, 300_000)
    })

    test('what has finalizers waits for them, and goes when they are taken away', async () => {
      const held = configMap('held', { finalizers: ['example.com/one', 'example.com/two'] })
      await the().apply(held)
      await the().delete('configmap', 'held', '')
      assert.ok((await the().get('configmap', 'held')).metadata.deletionTimestamp)
      await refused(
        JSON.stringify(held),
        /is being deleted, and waits for its finalizers example.com\/one, example.com\/two/,
        409,
      )
      await the().apply(configMap('held', { finalizers: ['example.com/two', 'example.com/three'] }))
      assert.deepEqual((await the().get('configmap', 'held')).metadata.finalizers, ['example.com/two'])
      await the().apply(configMap('held'))
      assert.ok(!(await isThere('configmap', 'held')))
      await the().apply(configMap('held', { finalizers: ['example.com/one'] }))
      await the().apply(configMap('held', { finalizers: [] }))
      assert.equal((await the().get('configmap', 'held')).metadata.finalizers, undefined)
      await the().delete('configmap', 'held')
    })

    test('finalizers of a template hold pods, and are taken away of each', async () => {
      await the().apply(set(1, { finalizers: ['example.com/one'] }))
      await the().until('replicaset', 'web', ({ status }) => status.replicas === 1)
      const [{ metadata, spec }] = (await the().list('pod')) as [KubeObject]
      assert.deepEqual(metadata.finalizers, ['example.com/one'])
      await the().delete('replicaset', 'web', '')
      const { name, labels } = (await the().get('pod', metadata.name)).metadata
      await the().apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels, finalizers: [] }, spec })
      await untilGone('pod', name)
    })

    test('a namespace waits for its own finalizers, and nothing new comes into it', async () => {
      const namespace = (finalizers: string[]) => ({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'ns', finalizers },
      })
      await the().apply(
        namespace(['example.com/one']),
        configMap('held', { namespace: 'ns', finalizers: ['example.com/one'] }),
      )
      await the().delete('namespace', 'ns', '')
      await refused(JSON.stringify(configMap('new', { namespace: 'ns' })), /namespace "ns" is being deleted/, 409)
      await the().apply(configMap('held', { namespace: 'ns', finalizers: [] }))
      assert.ok(!(await isThere('configmap', 'held', 'ns')))
      assert.ok(await isThere('namespace', 'ns'))
      await the().apply(namespace([]))
      await untilGone('namespace', 'ns')
      // All that a manifest names, also what goes with its namespace.
      const text = [namespace([]), configMap('one', { namespace: 'ns' })]
        .map((one) => JSON.stringify(one))
        .join('\n---\n')
      assert.equal((await apply(text)).status, 201)
      const deleted = await api().post('/v1/resource/delete', text)
      assert.equal(deleted.status, 200, deleted.text)
    })

    test('dependents go after their owner, with their last one, and never those of others', async () => {
      await the().apply(configMap('owner'), configMap('other'))
      const owner = await the().get('configmap', 'owner')
      const other = await the().get('configmap', 'other')
      const shared = owned('shared', owner)
      const [reference] = owned('x', other).metadata.ownerReferences
      shared.metadata.ownerReferences.push(reference)
      const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', uid: 'u' } }
      await the().apply(owned('child', owner), owned('stranger', other), shared, owned('unknown', deployment))
      await the().apply(owned('grandchild', await the().get('configmap', 'child')))
      await the().delete('configmap', 'owner')
      for (const gone of ['child', 'grandchild']) assert.ok(!(await isThere('configmap', gone)), gone)
      for (const kept of ['stranger', 'unknown']) assert.ok(await isThere('configmap', kept), kept)
      assert.deepEqual((await the().get('configmap', 'shared')).metadata.ownerReferences.length, 1)
      // Whose owner is not there, or in another namespace, goes, as in a cluster.
      await the().apply(owned('late', owner))
      await untilGone('configmap', 'late')
      await the().apply({ ...owned('far', other), metadata: { ...owned('far', other).metadata, namespace: 'far' } })
      await untilGone('configmap', 'far', 'far')
      assert.ok(await isThere('configmap', 'other'))
      await the().delete('configmap', 'other', 'cascade=orphan')
      assert.equal((await the().get('configmap', 'stranger')).metadata.ownerReferences, undefined)
    })

    test('in the foreground an owner waits for what blocks it', async () => {
      await the().apply(configMap('owner'))
      const owner = await the().get('configmap', 'owner')
      const blocking = owned('blocking', owner, { blockOwnerDeletion: true })
      const held = { ...blocking, metadata: { ...blocking.metadata, finalizers: ['example.com/one'] } }
      await the().apply(held, owned('free', owner))
      await the().delete('configmap', 'owner', 'cascade=foreground')
      const waiting = await the().get('configmap', 'owner')
      assert.deepEqual(waiting.metadata.finalizers, ['foregroundDeletion'])
      assert.ok((await the().get('configmap', 'blocking')).metadata.deletionTimestamp)
      assert.ok(await isThere('configmap', 'free'))
      await the().apply({ ...blocking, metadata: { ...blocking.metadata, finalizers: [] } })
      await untilGone('configmap', 'owner')
      await untilGone('configmap', 'free')
      // Two that own each other do not wait for ever.
      await the().apply(configMap('a'), configMap('b'))
      const [a, b] = [await the().get('configmap', 'a'), await the().get('configmap', 'b')]
      await the().apply(owned('a', b, { blockOwnerDeletion: true }), owned('b', a, { blockOwnerDeletion: true }))
      await the().delete('configmap', 'a', 'cascade=foreground&wait=true')
      assert.ok(!(await isThere('configmap', 'b')))
    })

    test('in the foreground a replica set goes after its pods', async () => {
      await the().apply(set(2))
      await the().until('replicaset', 'web', ({ status }) => status.replicas === 2)
      await the().delete('replicaset', 'web', 'cascade=foreground&wait=true')
      assert.deepEqual(await the().list('pod'), [])
    })

    test('a manifest that was read from an object changes that one only, and only as it was', async () => {
      const applied = async (object: object) => (await apply(JSON.stringify(object))).status
      assert.equal(await applied(configMap('c')), 201)
      const read = await the().get('configmap', 'c')
      assert.equal(await applied({ ...read, data: { a: 'c' } }), 201)
      const changed = JSON.stringify({ ...read, data: { a: 'd' } })
      await refused(changed, /the object has been modified: .* read it again/, 409)
      await refused(JSON.stringify(configMap('c', { uid: 'other' })), /of uid other, the object of/, 409)
      assert.deepEqual((await the().get('configmap', 'c')).data, { a: 'c' })
      await the().delete('configmap', 'c')
      assert.equal(await applied(read), 201, 'what is not there is made anew')
    })

    test('by force what cannot change is made anew, and else named', async () => {
      await the().apply(pod(), { ...configMap('fixed'), immutable: true })
      await the().untilReady('web')
      const before = await the().get('pod', 'web')
      const changed = JSON.stringify(pod({ hostname: 'other' }))
      const { data } = await refused(
        changed,
        /Cannot apply Pod "web": "spec.hostname" cannot change; apply it by force/,
        409,
      )
      assert.deepEqual(data.results[0].faults, [{ path: 'spec.hostname', problem: 'cannot change' }])
      const diff = await api().post('/v1/resource/diff?force=true', changed)
      assert.equal(diff.json.data[0].before.metadata.uid, before.metadata.uid)
      assert.equal(diff.json.data[0].after.spec.hostname, 'other')
      const fixed = JSON.stringify({ ...configMap('fixed'), immutable: true, data: { a: 'c' } })
      const forced = await apply(`${changed}\n---\n${fixed}`, 'force=true')
      assert.equal(forced.status, 201, forced.text)
      assert.deepEqual(
        forced.json.data.results.map(({ action }: KubeObject) => action),
        ['configured', 'configured'],
      )
      const after = await the().get('pod', 'web')
      assert.notEqual(after.metadata.uid, before.metadata.uid)
      assert.equal(after.spec.hostname, 'other')
      await the().untilReady('web')
      assert.match(await the().sayIn('web', 'main', 'hostname'), /other/)
      assert.deepEqual((await the().get('configmap', 'fixed')).data, { a: 'c' })
      const held = pod({ hostname: 'third' }, { finalizers: ['example.com/one'] })
      await the().apply(pod({ hostname: 'other' }, { finalizers: ['example.com/one'] }))
      const kept = await apply(JSON.stringify(held), 'force=true')
      assert.equal(kept.status, 409)
      assert.match(kept.json.message, /it has finalizers: example.com\/one/)
      await the().apply(pod({ hostname: 'other' }, { finalizers: [] }))
    })
  })
})
