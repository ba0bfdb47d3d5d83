import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { kubeFixture } from '../support/kube-fixture.ts'
import { podManifest } from '../support/manifests.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

describe('how pods end', () => {
  const the = kubeFixture()
  const pod = (spec: object, metadata: object = {}) =>
    podManifest({ terminationGracePeriodSeconds: 1, ...spec }, metadata)

  /** Ready when it is about to do what it does: until then signals are lost on it. */
  const script = (name: string, text: string, more: object = {}) => ({
    name,
    image: the().image,
    command: ['sh', '-c', `${text}; touch /ready; while :; do sleep 0.1; done`],
    readinessProbe: { exec: { command: ['test', '-e', '/ready'] } },
    ...more,
  })

  /** Of the host, as `/log` of containers. */
  const directory = () => {
    const path = mkdtempSync(join(the().fixture.home.root, 'log-'))
    const read = (name: string) => readFileSync(join(path, name), { encoding: 'utf8', flag: 'a+' })
    return {
      volume: { name: 'log', hostPath: { path } },
      mount: { volumeMounts: [{ name: 'log', mountPath: '/log' }] },
      read,
      until: (name: string, text: string) =>
        eventually(
          () => read(name),
          (said) => said === text,
        ),
      [Symbol.dispose]: () => rmSync(path, { recursive: true }),
    }
  }

  test('a grace period of ages is one: nothing is killed at once, and what ends by itself is gone', async () => {
    using log = directory()
    const ages = { terminationGracePeriodSeconds: Number.MAX_SAFE_INTEGER, activeDeadlineSeconds: 2 ** 31 - 1 }
    const livenessProbe = { exec: { command: ['true'] }, periodSeconds: 2 ** 31 - 1, timeoutSeconds: 2 ** 31 - 1 }
    const slow = 'trap "sleep 1; echo well > /log/end; exit 0" TERM'
    await the().apply(
      pod({
        ...ages,
        volumes: [log.volume],
        containers: [script('a', slow, { livenessProbe, ...log.mount })],
      }),
    )
    await the().untilReady('web')
    await the().delete('pod', 'web', 'wait=false')
    assert.equal((await the().get('pod', 'web')).metadata.deletionTimestamp, '9999-12-31T23:59:59Z')
    await the().delete('pod', 'web')
    assert.equal(log.read('end'), 'well\n')
  })

  const events = async (...words: readonly string[]) =>
    (await the().fixture.daemon.api.get(`/v1/events?since=1&until=${Math.ceil(Date.now() / 1000)}`)).text
      .split('\n')
      .filter((line) => words.every((word) => line.includes(word)))

  test('preStop has its time though the pod changes meanwhile; its program is asked to end after it', async () => {
    using log = directory()
    const preStop = { exec: { command: ['sh', '-c', 'echo begins >> /log/a; sleep 2; echo ends >> /log/a'] } }
    await the().apply(
      pod({
        terminationGracePeriodSeconds: 60,
        volumes: [log.volume],
        containers: [script('a', 'trap "echo TERM >> /log/a; exit 0" TERM', { lifecycle: { preStop }, ...log.mount })],
      }),
    )
    await the().untilReady('web')
    await the().delete('pod', 'web', 'wait=false')
    await log.until('a', 'begins\n')
    for (const action of ['start', 'stop', 'start'])
      await the().fixture.daemon.api.post(`/v1/pods/web/actions/${action}`)
    await the().delete('pod', 'web', 'gracePeriod=50&wait=true')
    assert.equal(log.read('a'), 'begins\nends\nTERM\n')
    assert.deepEqual(await events('web', 'FailedPreStopHook'), [])
  })

  test('preStop that takes too long is ended with the grace period, and the program has some time after it', async () => {
    using log = directory()
    const preStop = { exec: { command: ['sh', '-c', 'echo begins >> /log/a; sleep 1000; echo ends >> /log/a'] } }
    const says = 'trap "echo TERM >> /log/a; sleep 0.5; echo well >> /log/a; exit 0" TERM'
    await the().apply(
      pod(
        {
          terminationGracePeriodSeconds: 5,
          volumes: [log.volume],
          containers: [script('a', says, { lifecycle: { preStop }, ...log.mount })],
        },
        { name: 'late' },
      ),
    )
    await the().untilReady('late')
    await the().delete('pod', 'late')
    assert.equal(log.read('a'), 'begins\nTERM\nwell\n')
    assert.equal((await events('late', 'FailedPreStopHook')).length, 1)
  })

  test('less time that is given later counts, in preStop and after it; none at all ends everything', async () => {
    using log = directory()
    const slow = { exec: { command: ['sh', '-c', 'echo begins >> /log/a; sleep 1000'] } }
    const hanging = (name: string, more: object = {}) =>
      pod(
        {
          terminationGracePeriodSeconds: 100_000,
          volumes: [log.volume],
          containers: [script('a', `trap "echo TERM >> /log/${name}" TERM`, { ...more, ...log.mount })],
        },
        { name },
      )
    await the().apply(hanging('a', { lifecycle: { preStop: slow } }), hanging('b'), hanging('c'))
    for (const name of ['a', 'b', 'c']) {
      await the().untilReady(name)
      await the().delete('pod', name, 'wait=false')
    }
    await log.until('a', 'begins\n')
    await the().delete('pod', 'a', 'gracePeriod=0&wait=true')
    assert.equal(log.read('a'), 'begins\n')
    for (const [name, gracePeriod] of [
      ['b', 0],
      ['c', 1],
    ] as const) {
      await log.until(name, 'TERM\n')
      await the().delete('pod', name, `gracePeriod=${gracePeriod}&wait=true`)
    }
  })

  test('sidecars end after those that they serve, the last one first', async () => {
    using log = directory()
    const says = (name: string, more: object = {}) =>
      script(name, `trap "sleep 0.5; echo ${name} >> /log/order; exit 0" TERM`, { ...more, ...log.mount })
    const sidecar = { restartPolicy: 'Always' }
    await the().apply(
      pod({
        terminationGracePeriodSeconds: 60,
        volumes: [log.volume],
        initContainers: [says('first', sidecar), says('second', sidecar)],
        containers: [says('main')],
      }),
    )
    await the().untilReady('web')
    await the().delete('pod', 'web')
    assert.equal(log.read('order'), 'main\nsecond\nfirst\n')
  })
})
