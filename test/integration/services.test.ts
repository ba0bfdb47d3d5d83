import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { type KubeObject, kubeFixture } from '../support/kube-fixture.ts'
import { replicaSetManifest } from '../support/manifests.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

/** Tells who it is, to whoever asks. */
const TELLS = ['sh', '-c', 'mkdir /w; hostname > /w/who; exec httpd -f -p 8080 -h /w']
/** Ready is who listens. */
const LISTENS = { readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 } }
const OBEYS = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1 & wait; done']

describe('Services', () => {
  const the = kubeFixture()
  const container = (more: object = {}) => ({
    name: 'main',
    image: the().image,
    command: TELLS,
    ports: [{ name: 'http', containerPort: 8080 }],
    ...more,
  })
  const pod = (name: string, labels: object, more: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels },
    spec: { terminationGracePeriodSeconds: 0, containers: [container(more)] },
  })
  const set = (replicas: number) => replicaSetManifest('web', replicas, pod('', {}, LISTENS).spec)
  const service = (spec: object) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ...spec },
  })
  const untilReady = (count: number) =>
    the().until('replicaset', 'web', ({ status }) => status.readyReplicas === count && status.replicas === count)
  const ask = async (url: string) => {
    const [response] = await once(get(url, { agent: false, timeout: 3000 }), 'response')
    let text = ''
    for await (const chunk of response) text += chunk
    return text.trim()
  }
  /** As soon as it answers: rules follow the pods within ms. */
  const untilAnswers = async (url: string) => {
    for (let tries = 0; ; tries++) {
      try {
        return await ask(url)
      } catch (error) {
        if (tries === 1500) throw error
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }

  const untilRefused = (url: string) =>
    eventually(
      () => ask(url).catch(() => undefined),
      (answer) => answer === undefined,
    )
  /** Until these and no others answer: rules follow the pods within ms, on a fast machine. */
  const untilSeen = (url: string, wanted: readonly string[]) => {
    const look = async () => {
      const answers = new Set<string>()
      for (let count = 0; count < 30; count++) answers.add(await ask(url))
      return [...answers].toSorted()
    }
    return eventually(look, (answers) => answers.join() === wanted.join())
  }

  test('one without a type answers on the host, at its clusterIP and by its names, evenly', async () => {
    await the().apply(
      set(3),
      service({ ports: [{ port: 11240, targetPort: 'http' }] }),
      pod('client', {}, { command: OBEYS }),
    )
    await untilReady(3)
    await the().untilReady('client')
    const { clusterIP } = (await the().get('service', 'web')).spec
    assert.match(clusterIP, /^10\.167\./)
    await untilAnswers('http://127.0.0.1:11240/who')
    const names = (await the().list('pod', 'selector=app%3Dweb')).map(({ metadata }) => metadata.name)
    await untilSeen('http://127.0.0.1:11240/who', names.toSorted())
    const counts = new Map<string, number>()
    for (let count = 0; count < 300; count++) {
      const who = await ask('http://127.0.0.1:11240/who')
      counts.set(who, (counts.get(who) ?? 0) + 1)
    }
    assert.equal(counts.size, 3)
    // Chi-square with 2 degrees of freedom: more than 18.4 has a chance of 1 in 10,000.
    const chiSquare = [...counts.values()].reduce((sum, seen) => sum + (seen - 100) ** 2 / 100, 0)
    assert.ok(chiSquare < 18.4, JSON.stringify([...counts]))
    for (const name of ['web', 'web.default', 'web.default.svc.cluster.local', clusterIP]) {
      const who = (await the().sayIn('client', 'main', `wget -qO- http://${name}:11240/who`)).trim()
      assert.ok(counts.has(who), `${name} answered ${who}`)
    }
  })

  test('an explicit type keeps it off the host, and NodePort has a port there', async () => {
    await the().apply(set(1), service({ type: 'ClusterIP', ports: [{ port: 11241, targetPort: 8080 }] }))
    await untilReady(1)
    const { clusterIP } = (await the().get('service', 'web')).spec
    await untilAnswers(`http://${clusterIP}:11241/who`)
    await assert.rejects(ask('http://127.0.0.1:11241/who'))
    await the().apply(service({ type: 'NodePort', ports: [{ port: 11241, targetPort: 8080, nodePort: 30_123 }] }))
    await untilAnswers('http://127.0.0.1:30123/who')
    const [port] = (await the().get('service', 'web')).spec.ports
    assert.equal(port.nodePort, 30_123)
    // One that was chosen, and that no manifest has named, goes with the type that needs it.
    for (const type of ['NodePort', 'ClusterIP', 'LoadBalancer', undefined]) {
      await the().apply(service({ ...(type && { type }), ports: [{ port: 11241, targetPort: 8080 }] }))
      const { nodePort } = (await the().get('service', 'web')).spec.ports[0]
      assert.equal(nodePort === undefined, type === 'ClusterIP' || type === undefined, `${type}: ${nodePort}`)
    }
    assert.equal((await the().get('service', 'web')).spec.clusterIP, clusterIP)
    await assert.rejects(ask('http://127.0.0.1:30123/who'))
  })

  test('only pods that are ready get connections, and one that is so no more loses them at once', async () => {
    const readinessProbe = { exec: { command: ['test', '-e', '/ready'] }, periodSeconds: 1, failureThreshold: 1 }
    await the().apply(
      pod('one', { app: 'web' }, { readinessProbe }),
      pod('two', { app: 'web' }),
      service({ ports: [{ port: 11242, targetPort: 8080 }] }),
    )
    await the().untilReady('two')
    await untilAnswers('http://127.0.0.1:11242/who')
    const url = 'http://127.0.0.1:11242/who'
    await untilSeen(url, ['two'])
    await the().sayIn('one', 'main', 'touch /ready')
    await the().untilReady('one')
    await untilSeen(url, ['one', 'two'])
    await the().sayIn('one', 'main', 'rm /ready')
    await untilSeen(url, ['two'])
  })

  test('a port that a program of the host listens on is not taken, and the Service says so', async () => {
    const server = createServer((socket) => socket.end('mine')).listen(11_243, '127.0.0.1')
    await once(server, 'listening')
    try {
      await the().apply(set(1), service({ ports: [{ port: 11_243, targetPort: 8080 }] }))
      await untilReady(1)
      const { status } = await the().until('service', 'web', ({ status }) => status?.conditions?.length > 0)
      const [condition] = status.conditions
      assert.deepEqual([condition.type, condition.status, condition.reason], ['HostPorts', 'False', 'PortsInUse'])
      assert.match(condition.message, /11243\/tcp is in use by a program of the host/)
      const { clusterIP } = (await the().get('service', 'web')).spec
      await untilAnswers(`http://${clusterIP}:11243/who`)
      await assert.rejects(ask('http://127.0.0.1:11243/who'), /Parse Error|Expected HTTP/)
    } finally {
      server.close()
    }
    const isWhole = (object: KubeObject) => object?.status.conditions[0].status === 'True'
    await the().until('service', 'web', isWhole, 60_000)
    await untilAnswers('http://127.0.0.1:11243/who')
    const { resourceVersion } = (await the().get('service', 'web')).metadata
    await the().apply(set(2))
    await untilReady(2)
    assert.equal((await the().get('service', 'web')).metadata.resourceVersion, resourceVersion)
  })

  test("a pod's port of the host that is in use is waited for, until the program or pod that has it is gone", async () => {
    const server = createServer((socket) => socket.end('mine')).listen(11_244, '0.0.0.0')
    await once(server, 'listening')
    const onHost = { ports: [{ containerPort: 8080, hostPort: 11_244 }] }
    const isTold = (object: KubeObject) => object?.status.reason === 'FailedCreatePodSandBox'
    try {
      await the().apply(pod('one', {}, onHost))
      const { status } = await the().until('pod', 'one', isTold, 60_000)
      assert.match(status.message, /11244\/tcp.*a program on this host already listens there/)
    } finally {
      server.close()
    }
    await the().untilReady('one', 60_000)
    assert.equal(await untilAnswers('http://127.0.0.1:11244/who'), 'one')
    await the().apply(pod('two', {}, onHost), pod('three', {}, onHost))
    for (const name of ['two', 'three']) await the().until('pod', name, isTold, 60_000)
    await the().delete('pod', 'one')
    const answers = await untilAnswers('http://127.0.0.1:11244/who')
    assert.match(answers, /^(two|three)$/)
    await the().delete('pod', answers)
    await the().untilReady(answers === 'two' ? 'three' : 'two', 60_000)
  })

  test('a headless one has the names of its pods', async () => {
    const named = (name: string) => {
      const { spec, ...rest } = pod(name, { app: 'web' })
      return { ...rest, spec: { ...spec, hostname: name, subdomain: 'web' } }
    }
    await the().apply(
      named('one'),
      named('two'),
      service({ clusterIP: 'None', ports: [{ name: 'http', port: 80, targetPort: 8080 }] }),
      pod('client', {}, { command: OBEYS }),
    )
    await the().apply(service({ ports: [{ name: 'http', port: 80, targetPort: 8080 }] }))
    assert.equal((await the().get('service', 'web')).spec.clusterIP, 'None', 'what was chosen once stays')
    const ips: string[] = []
    for (const name of ['one', 'two']) ips.push((await the().untilReady(name)).status.podIP)
    await the().untilReady('client')
    const lookUp = async (name: string) =>
      [...(await the().sayIn('client', 'main', `nslookup ${name}`)).matchAll(/Address:?\s+(10\.[\d.]+)\s*$/gm)]
        .map(([, address]) => address!)
        .toSorted()
    // The name server is told of pods that have become ready.
    const untilFound = (name: string, wanted: readonly string[]) =>
      eventually(
        () => lookUp(name),
        (found) => found.join() === wanted.join(),
      )
    await untilFound('web.default.svc.cluster.local', ips.toSorted())
    await untilFound('one.web.default.svc.cluster.local', ips.slice(0, 1))
    assert.match(await the().sayIn('one', 'main', 'hostname -f'), /^one\.web\.default\.svc\.cluster\.local/)
    assert.match(await the().sayIn('client', 'main', 'nslookup none.default.svc.cluster.local'), /NXDOMAIN|can't/)
  })

  test('its addresses stay when it is applied again, and go with it', async () => {
    await the().apply(set(1), service({ ports: [{ port: 11244, targetPort: 8080 }] }))
    await untilReady(1)
    const before = (await the().get('service', 'web')).spec.clusterIP
    const again = await the().apply(service({ ports: [{ port: 11244, targetPort: 'http' }] }))
    assert.equal(again.results[0].action, 'configured')
    assert.equal((await the().get('service', 'web')).spec.clusterIP, before)
    await untilAnswers('http://127.0.0.1:11244/who')
    await the().delete('service', 'web')
    await untilRefused('http://127.0.0.1:11244/who')
  })

  test('outlives the daemon, and a flushed firewall', async () => {
    await the().apply(set(2), service({ ports: [{ port: 11245, targetPort: 8080 }] }))
    await untilReady(2)
    await untilAnswers('http://127.0.0.1:11245/who')
    await the().fixture.daemon.kill()
    await ask('http://127.0.0.1:11245/who')
    await the().fixture.restart()
    await ask('http://127.0.0.1:11245/who')
    const { execFileSync } = await import('node:child_process')
    execFileSync('nft', ['flush', 'ruleset'])
    await untilAnswers('http://127.0.0.1:11245/who')
  })
})
