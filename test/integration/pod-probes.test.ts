import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { kubeFixture } from '../support/kube-fixture.ts'
import { isReady } from '../support/manifests.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

/** Serves /www, in which there is one file, once the file /go is there. */
const SERVE =
  'mkdir /www; echo well > /www/health; until [ -e /go ]; do sleep 0.05; done; exec httpd -f -p 8080 -h /www'
const LIVE = 'touch /well; trap "exit 0" TERM; while :; do sleep 0.05; done'
/** Answers have the time of a busy machine. */
const EVERY_SECOND = { periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 30 }

for (const runtime of ['crun', 'runc'] as const)
  describe(`probes and lifecycle handlers with ${runtime}`, () => {
    const the = kubeFixture({ runtime })
    const podOf = (container: object, spec: object = {}) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web' },
      spec: { containers: [{ name: 'app', image: the().image, command: ['sh', '-c', LIVE], ...container }], ...spec },
    })
    const run = (container: object, spec?: object) => the().apply(podOf(container, spec))
    const untilContainer = (fits: (status: ContainerStatus) => boolean) =>
      the().until('pod', 'web', ({ status }) => status.containerStatuses?.some(fits))
    /** What a script says in the container that runs now, of all that there were. */
    const say = async (script: string) => {
      const { containerStatuses } = (await the().get('pod', 'web')).status
      const id = containerStatuses[0].containerID.split('//')[1]
      const body = { command: ['sh', '-c', `exec 2>&1; ${script}`], wait: true }
      return (await the().fixture.daemon.api.post(`/v1/containers/${id}/actions/exec`, body)).json.data?.stdout
    }
    const told = async (reason: string) =>
      (await the().events('pod', 'web')).filter((event) => event.reason === reason).map(({ message }) => message)

    test('a failed liveness probe restarts the container, and one that cannot be run does not', async () => {
      // On a slow machine an exec takes longer than a second, which is a failure too.
      const patient = { ...EVERY_SECOND, timeoutSeconds: 60 }
      const livenessProbe = { exec: { command: ['ls', '/well'] }, ...patient }
      const exec = { command: ['/no/such'] }
      const other = { name: 'other', image: the().image, command: ['sh', '-c', LIVE] }
      const missing = { ...other, livenessProbe: { exec, ...patient } }
      const pod = podOf({ livenessProbe })
      await the().apply({ ...pod, spec: { containers: [...pod.spec.containers, missing] } })
      await the().untilReady('web')
      // It is ready as soon as it runs.
      await say('until rm /well; do sleep 0.05; done')
      const { status } = await untilContainer(({ name, restartCount }) => name === 'app' && restartCount === 1)
      assert.equal(status.containerStatuses[1].restartCount, 0)
      const messages = await told('Unhealthy')
      assert.ok(
        messages.some((text) => /^Liveness probe failed: ls: \/well: No such file/.test(text)),
        messages.join('\n'),
      )
      const errored = await eventually(
        async () => (await told('Unhealthy')).filter((text) => text.startsWith('Liveness probe errored: ')),
        (texts) => texts.length > 0,
      )
      assert.equal(errored.length, 1, errored.join('\n'))
      assert.match((await told('Killing')).join('\n'), /liveness probe/)
    })

    test('a probe that takes too long is ended, with all that it has begun', async () => {
      const script = '(sleep 4002 & sleep 4003) & sleep 4004'
      const readinessProbe = { exec: { command: ['sh', '-c', script] }, ...EVERY_SECOND, timeoutSeconds: 1 }
      await run({
        readinessProbe,
        startupProbe: { exec: { command: ['ls', '/go'] }, ...EVERY_SECOND, failureThreshold: 300 },
      })
      await untilContainer(({ state }) => state.running !== undefined)
      await say('touch /go')
      await eventually(
        () => told('Unhealthy'),
        (texts) => texts.some((text) => text.includes('took longer than 1 s')),
      )
      const left = (await say('ps | grep -c "[s]leep 400"')).trim()
      assert.ok(Number(left) <= 3, `${left} are left`)
    })

    // What follows does not depend on how processes are run.
    if (runtime === 'runc') return

    test('readiness by HTTP, at a port by name: as long as it says so, also over a restart of the daemon', async () => {
      const readinessProbe = { httpGet: { port: 'web', path: '/health' }, ...EVERY_SECOND }
      const ports = [{ name: 'web', containerPort: 8080 }]
      await run({ command: ['sh', '-c', SERVE], ports, readinessProbe })
      const begun = await untilContainer(({ state }) => state.running !== undefined)
      assert.equal(isReady(begun), false)
      await say('touch /go')
      const ready = await the().untilReady('web')
      await the().fixture.restart({ runtime })
      const { status } = await the().get('pod', 'web')
      assert.deepEqual(status.conditions, ready.status.conditions)
      await say('rm /www/health')
      await the().until('pod', 'web', (object) => !isReady(object))
      const messages = await told('Unhealthy')
      assert.ok(
        messages.includes('Readiness probe failed: HTTP probe failed with statuscode: 404'),
        messages.join('\n'),
      )
      await say('echo well > /www/health')
      await the().untilReady('web')
    })

    test('startup first: the others wait for it, and its failure restarts the container', async () => {
      const exec = { command: ['sh', '-c', 'test -e /all-runs/second || ! touch /all-runs/first'] }
      const startupProbe = { exec, periodSeconds: 1, failureThreshold: 3, timeoutSeconds: 60 }
      const livenessProbe = { tcpSocket: { port: 1 }, periodSeconds: 1, failureThreshold: 1 }
      const begins = 'test ! -e /all-runs/first || touch /all-runs/second'
      const command = ['sh', '-c', `${begins}; ${LIVE}`]
      const volumeMounts = [{ name: 'all', mountPath: '/all-runs' }]
      await run({ command, volumeMounts, startupProbe, livenessProbe }, { volumes: [{ name: 'all', emptyDir: {} }] })
      await untilContainer(({ restartCount }) => restartCount === 1)
      assert.ok((await told('Unhealthy')).every((text) => text.startsWith('Startup probe failed: ')))
      await untilContainer(({ started }) => started)
      await untilContainer(({ restartCount }) => restartCount >= 2)
      const isTold = (text: string) => /^Liveness probe failed: connect ECONNREFUSED/.test(text)
      await eventually(
        () => told('Unhealthy'),
        (texts) => texts.some(isTold),
      )
    })

    test('postStart and preStop: run in the container, the latter as long as the pod has', async () => {
      const shared = join(the().fixture.home.root, '..', 'shared')
      mkdirSync(shared, { recursive: true })
      const exec = (script: string) => ({ exec: { command: ['sh', '-c', script] } })
      const lifecycle = {
        postStart: exec('echo started > /shared/log'),
        preStop: exec('echo stops >> /shared/log; sleep 1000; echo too late >> /shared/log'),
      }
      const volumes = [{ name: 'shared', hostPath: { path: shared } }]
      const volumeMounts = [{ name: 'shared', mountPath: '/shared' }]
      await run({ lifecycle, volumeMounts }, { volumes, terminationGracePeriodSeconds: 5 })
      await the().untilReady('web')
      assert.equal(readFileSync(join(shared, 'log'), 'utf8'), 'started\n')
      await the().delete('pod', 'web')
      assert.equal(readFileSync(join(shared, 'log'), 'utf8'), 'started\nstops\n')
    })

    test('a failed postStart ends the container', async () => {
      const lifecycle = { postStart: { httpGet: { port: 1 } } }
      await run({ lifecycle }, { restartPolicy: 'Never', terminationGracePeriodSeconds: 1 })
      await the().until('pod', 'web', ({ status }) => ['Succeeded', 'Failed'].includes(status.phase))
      assert.match((await told('FailedPostStartHook')).join('\n'), /^Get "http:.*ECONNREFUSED/)
    })
  })

interface ContainerStatus {
  readonly name: string
  readonly restartCount: number
  readonly started: boolean
  readonly state: { readonly running?: object }
}
