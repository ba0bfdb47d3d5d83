import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../support/eventually.ts'
import { type KubeObject, kubeFixture } from '../support/kube-fixture.ts'
import { isReady, podManifest } from '../support/manifests.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

/** Ends well, whenever it is asked to. */
const OBEYS = ['sh', '-c', 'trap "exit 0" TERM; touch /ready; while :; do sleep 0.1; done']
const LIMIT_MS = 300_000
const MOUNTED_CACHE = [{ name: 'cache', mountPath: '/cache' }]

describe('what befalls pods', () => {
  const the = kubeFixture()
  const pod = (spec: object, metadata: object = {}) =>
    podManifest({ terminationGracePeriodSeconds: 60, ...spec }, metadata)
  const container = (name: string, more: object = {}) => ({ name, image: the().image, command: OBEYS, ...more })
  const says = (script: string) => ({ command: ['sh', '-c', script] })
  const until = (fits: (status: KubeObject) => boolean, name = 'web') =>
    the().until('pod', name, (object) => object !== undefined && fits(object.status), LIMIT_MS)
  const kill = async (name: string) => {
    const { pid } = await the().container('web', name)
    assert.ok(pid > 0)
    process.kill(pid, 'SIGKILL')
  }
  const untilTold = (reason: string, name = 'web') =>
    eventually(
      () => the().events('pod', name),
      (events) => events.some((event) => event.reason === reason),
    )

  test('a program that takes more memory than it may is OOMKilled, and made anew', async () => {
    const resources = { limits: { memory: '24Mi' } }
    const eats = says('sleep 0.2; x=x; while :; do x=$x$x$x$x; done')
    await the().apply(pod({ containers: [container('a', { ...eats, resources })] }))
    const { status } = await until(
      ({ containerStatuses: [a] = [] }) => a?.restartCount === 1 && a.lastState?.terminated,
    )
    const { reason, exitCode } = status.containerStatuses[0].lastState.terminated
    assert.deepEqual([reason, exitCode], ['OOMKilled', 137])
  })

  test('one whose volume on disk grows beyond its limit is evicted', async () => {
    const volumes = [{ name: 'cache', emptyDir: { sizeLimit: '1Mi' } }]
    const fills = says('dd if=/dev/zero of=/cache/f bs=1M count=3; sleep 1000')
    await the().apply(pod({ volumes, containers: [container('a', { ...fills, volumeMounts: MOUNTED_CACHE })] }))
    const { status } = await until(({ phase }) => phase === 'Failed')
    assert.equal(status.reason, 'Evicted')
    assert.ok(status.containerStatuses[0].state.terminated !== undefined)
    assert.match(status.podIP, /^10\./)
    assert.equal(status.message, 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi".')
    await untilTold('Evicted')
  })

  test('its infra container is killed while an init container runs: all begins anew', async () => {
    const init = container('init', {
      ...says('until [ -e /cache/go ]; do sleep 0.1; done'),
      volumeMounts: MOUNTED_CACHE,
    })
    const volumes = [{ name: 'cache', emptyDir: {} }]
    await the().apply(pod({ volumes, initContainers: [init], containers: [container('a')] }))
    await until(({ initContainerStatuses: [first] = [] }) => first?.state.running)
    await kill('POD')
    const { metadata } = await until(
      ({ initContainerStatuses: [first] = [] }) => first?.restartCount === 1 && first.state.running,
    )
    writeFileSync(join(the().fixture.home.root, 'pods', metadata.uid, 'volumes/cache/go'), '')
    const { status } = await the().untilReady('web', LIMIT_MS)
    assert.equal(status.initContainerStatuses[0].restartCount, 1)
    assert.equal(status.containerStatuses[0].restartCount, 0)
  })

  test('its infra container, then its program, is killed in postStart: it runs in the end', async () => {
    const once = 'test -e /log/once && exit 0; touch /log/once; sleep 2'
    const volumes = [{ name: 'log', emptyDir: {} }]
    const lifecycle = { postStart: { exec: { command: ['sh', '-c', once] } } }
    const volumeMounts = [{ name: 'log', mountPath: '/log' }]
    for (const victim of ['POD', 'a']) {
      await the().apply(pod({ volumes, containers: [container('a', { lifecycle, volumeMounts })] }))
      await untilTold('Started')
      await kill(victim)
      await until((status) => isReady({ status }) && status.containerStatuses[0].restartCount === 1)
      await the().delete('pod', 'web')
    }
  })

  test('its infra container and its program are killed in preStop: it goes', async () => {
    const lifecycle = { preStop: { exec: { command: ['sleep', '1000'] } } }
    for (const victim of ['a', 'POD']) {
      await the().apply(pod({ containers: [container('a', { lifecycle })], terminationGracePeriodSeconds: 5 }))
      await the().untilReady('web', LIMIT_MS)
      await the().delete('pod', 'web', 'wait=false')
      await untilTold('Killing')
      await kill(victim)
      await the().delete('pod', 'web')
    }
  })

  test('a daemon that is killed in preStop, its successor ends the pod', async () => {
    const lifecycle = { preStop: { exec: { command: ['sleep', '1000'] } } }
    await the().apply(pod({ containers: [container('a', { lifecycle })], terminationGracePeriodSeconds: 3 }))
    await the().untilReady('web', LIMIT_MS)
    await the().delete('pod', 'web', 'wait=false')
    await untilTold('Killing')
    await the().fixture.daemon.kill()
    await the().fixture.restart()
    await eventually(
      () => the().list('pod'),
      ({ length }) => length === 0,
    )
  })

  test('a back-off goes on in the next daemon, and no pod is made anew before it is over', async () => {
    await the().apply(pod({ containers: [container('a', says('exit 3'))] }))
    const isBackingOff = ({ containerStatuses: [a] = [] }: KubeObject) =>
      a?.restartCount === 1 && a.state.waiting?.reason === 'CrashLoopBackOff'
    const before = await until(isBackingOff)
    await the().fixture.daemon.kill()
    await the().fixture.restart()
    const runOf = ({ state, lastState }: KubeObject) => state.running ?? state.terminated ?? lastState.terminated
    const next = await until(({ containerStatuses: [a] }) => a.restartCount === 2 && runOf(a))
    const [begun, ended] = [next, before].map(({ status }) => runOf(status.containerStatuses[0]))
    const waitedMs = Date.parse(begun.startedAt) - Date.parse(ended.finishedAt)
    assert.ok(waitedMs >= 9000, `${waitedMs} ms; ${JSON.stringify(next.status)}`)
  })

  test('a namespace goes with pods that hang in preStop, are pulled, or cannot be made', async () => {
    const lifecycle = { preStop: { exec: { command: ['sleep', '1000'] } } }
    const named = (name: string, more: object) =>
      pod({ containers: [container('a', more)], terminationGracePeriodSeconds: 2 }, { name, namespace: 'team' })
    await the().apply(
      named('hangs', { lifecycle }),
      named('none', { image: `${the().fixture.registry.host}/none` }),
      named('lacks', { envFrom: [{ configMapRef: { name: 'none' } }] }),
    )
    await the().untilReady('hangs', LIMIT_MS)
    await until(({ containerStatuses: [a] = [] }) => a?.state.waiting?.reason === 'CreateContainerConfigError', 'lacks')
    await the().delete('namespace', 'team')
    assert.deepEqual(await the().list('pod', 'namespace=team'), [])
  })

  test('a probe that takes longer than its period is ended, counted, and runs one at a time', async () => {
    const livenessProbe = {
      exec: { command: ['sleep', '1000'] },
      periodSeconds: 1,
      timeoutSeconds: 2,
      failureThreshold: 2,
    }
    await the().apply(pod({ containers: [container('a', { livenessProbe })] }))
    await the().untilReady('web', LIMIT_MS)
    for (let count = 0; count < 10; count++) {
      const seen = await the().sayIn('web', 'a', 'ps | grep -c "[s]leep 1000"')
      // On a slow machine the container is ended while it is asked.
      assert.ok(Number(seen) <= 1 || /not running/.test(seen), seen)
      await sleep(100)
    }
    await until(({ containerStatuses: [a] }) => a.restartCount >= 1)
    const { message } = (await the().events('pod', 'web')).find(({ reason }) => reason === 'Unhealthy')!
    assert.match(message, /took longer than 2 s/)
  })

  test('sidecars are no reason to go on: a pod whose other containers have ended is complete', async () => {
    const sidecar = container('side', { restartPolicy: 'Always' })
    const spec = { restartPolicy: 'Never', initContainers: [sidecar], containers: [container('a', says('exit 0'))] }
    await the().apply(pod(spec))
    const { status } = await until(({ phase }) => phase === 'Succeeded')
    assert.equal(status.initContainerStatuses[0].state.terminated.exitCode, 0)
  })
})
