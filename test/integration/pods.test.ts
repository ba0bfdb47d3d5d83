import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type KubeObject, kubeFixture } from '../support/kube-fixture.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const HTTPD = ['httpd', '-f', '-p', '80', '-h', '/etc']
/** Ends at once when it is asked to, unlike a program that is process 1 and knows no signals. */
const OBEYS = ['sh', '-c', 'trap "exit 0" TERM; touch /tmp/ready; while :; do sleep 1 & wait; done']

for (const runtime of ['crun', 'runc'] as const)
  describe(`pods with ${runtime}`, () => {
    const the = kubeFixture({ runtime })
    const pod = (spec: object, metadata: object = {}) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', ...metadata },
      spec: { terminationGracePeriodSeconds: 1, ...spec },
    })
    const container = (name: string, more: object = {}) => ({ name, image: the().image, command: OBEYS, ...more })

    test('its containers share network, host name and IPC, and not their processes', async () => {
      await the().apply(pod({ containers: [container('a', { command: HTTPD }), container('b')] }))
      const { status } = await the().untilReady('web')
      const page = 'wget -qO- http://127.0.0.1/hostname'
      assert.equal(status.phase, 'Running')
      assert.match(status.podIP, /^10\./)
      assert.equal(await the().sayIn('web', 'b', `until ${page} 2>/dev/null; do sleep 0.1; done`), 'web\n')
      const namespaces = async (name: string) =>
        (await the().sayIn('web', name, 'for n in net uts ipc pid mnt; do readlink /proc/self/ns/$n; done')).split('\n')
      const [a, b] = [await namespaces('a'), await namespaces('b')]
      assert.deepEqual(
        a.map((own, index) => own === b[index]).slice(0, 5),
        [true, true, true, false, false],
        `${a} ${b}`,
      )
      assert.match(await the().sayIn('web', 'a', 'ip addr show eth0'), new RegExp(status.podIP.replaceAll('.', '\\.')))
      const listed = (await the().fixture.daemon.api.get('/v1/pods')).json.data
      assert.deepEqual(
        listed.map(({ name, state, desiredContainers, runningContainers, ready }: Record<string, unknown>) => {
          return { name, state, desiredContainers, runningContainers, ready }
        }),
        [{ name: 'web', state: 'running', desiredContainers: 2, runningContainers: 2, ready: true }],
      )
      assert.match(listed[0].networkNS, /^\/proc\/\d+\/ns\/net$/)
    })

    test('a shared process namespace has the infra container as its first process', async () => {
      await the().apply(pod({ shareProcessNamespace: true, containers: [container('a'), container('b')] }))
      await the().untilReady('web')
      const seen = await the().sayIn('web', 'a', 'cat /proc/1/cmdline | tr "\\0" " "; ps | grep -c "[t]rap"')
      assert.match(seen, /^\/pause -P [24]/)
      // Nobody of the pod can reach the host's files through it.
      assert.match(await the().sayIn('web', 'a', 'ls /proc/1/root/'), /Permission denied|^pause\n|dev/)
    })

    test('what its containers are told of their pod', async () => {
      const env = [
        { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'BOTH', value: '$(NAME)@$(IP) $$(NAME) $(NONE)' },
        { name: 'MODE', valueFrom: { configMapKeyRef: { name: 'settings', key: 'mode' } } },
        { name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'key' } } },
      ]
      await the().apply(
        {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'settings' },
          data: { mode: 'fast', 'a.conf': 'x=1\n' },
        },
        { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' }, stringData: { key: 's3cret' } },
        pod({
          hostAliases: [{ ip: '10.9.8.7', hostnames: ['elsewhere'] }],
          volumes: [
            { name: 'conf', configMap: { name: 'settings' } },
            { name: 'keys', secret: { secretName: 'keys', defaultMode: 0o400 } },
            { name: 'shared', emptyDir: {} },
          ],
          containers: [
            container('a', {
              env,
              volumeMounts: [
                { name: 'conf', mountPath: '/conf', readOnly: true },
                { name: 'keys', mountPath: '/keys' },
                { name: 'shared', mountPath: '/shared' },
              ],
            }),
            container('b', { volumeMounts: [{ name: 'shared', mountPath: '/there', subPath: 'sub' }] }),
          ],
        }),
      )
      const { status } = await the().untilReady('web')
      assert.equal(
        await the().sayIn(
          'web',
          'a',
          'echo "$NAME|$IP|$BOTH|$MODE|$KEY"; cat /conf/a.conf; stat -Lc %a /keys/key; cat /keys/key',
        ),
        `web|${status.podIP}|web@${status.podIP} $(NAME) $(NONE)|fast|s3cret\nx=1\n400\ns3cret`,
      )
      await the().sayIn('web', 'b', 'echo written > /there/file')
      assert.equal(await the().sayIn('web', 'a', 'cat /shared/sub/file'), 'written\n')
      assert.match(await the().sayIn('web', 'a', 'cat /etc/hosts'), /10\.9\.8\.7\s+elsewhere/)
      const resolv = await the().sayIn('web', 'a', 'cat /etc/resolv.conf')
      assert.match(resolv, /^search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local/m)
      assert.match(resolv, /ndots:5/)
    })

    test('a container that ends is made anew, with a fresh file system, and waits longer each time', async () => {
      const script = 'test -e /mark && exit 9; touch /mark; exit 3'
      await the().apply(pod({ containers: [container('a', { command: ['sh', '-c', script] })] }))
      const crashed = await the().until('pod', 'web', (object) => {
        const [status] = object?.status.containerStatuses ?? []
        return status?.restartCount === 1 && status.state.waiting?.reason === 'CrashLoopBackOff'
      })
      const [status] = crashed.status.containerStatuses
      assert.equal(status.lastState.terminated.exitCode, 3)
      assert.match(status.state.waiting.message, /^back-off 10s restarting failed container=a pod=web_default/)
      assert.equal(crashed.status.phase, 'Running')
      const reasons = (await the().events('pod', 'web')).map(({ reason }) => reason)
      for (const reason of ['Pulled', 'Created', 'Started']) {
        assert.equal(reasons.filter((one) => one === reason).length, 2, `${reasons}`)
      }
    })

    test('what a container writes of its end is in the status, or the end of its log if that is asked for', async () => {
      const says = (script: string) => ({ command: ['sh', '-c', script] })
      await the().apply(
        pod({
          restartPolicy: 'Never',
          containers: [
            container('a', {
              ...says('echo why > /dev/termination-log; exit 4'),
              securityContext: { runAsUser: 1000 },
            }),
            container('b', { ...says('echo from the log; exit 5'), terminationMessagePolicy: 'FallbackToLogsOnError' }),
            container('c', { ...says('echo mine > /tmp/end'), terminationMessagePath: '/tmp/end' }),
          ],
        }),
      )
      const { status } = await the().until('pod', 'web', (object) => object?.status.phase === 'Failed')
      assert.deepEqual(
        status.containerStatuses.map(({ state: { terminated } }: KubeObject) => [
          terminated.exitCode,
          terminated.message,
        ]),
        [
          [4, 'why\n'],
          [5, 'from the log\n'],
          [0, 'mine\n'],
        ],
      )
    })

    test('init containers run one after the other, each to its end, before all others', async () => {
      const init = (name: string) =>
        container(name, {
          command: ['sh', '-c', `echo ${name} >> /shared/order`],
          volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
        })
      await the().apply(
        pod({
          volumes: [{ name: 'shared', emptyDir: {} }],
          initContainers: [init('first'), init('second')],
          containers: [container('main', { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] })],
        }),
      )
      const { status } = await the().untilReady('web')
      assert.equal(await the().sayIn('web', 'main', 'cat /shared/order'), 'first\nsecond\n')
      assert.deepEqual(
        status.initContainerStatuses.map(({ state }: { state: object }) => Object.keys(state)),
        [['terminated'], ['terminated']],
      )
    })

    test('a pod that has done its work is complete, and keeps its logs', async () => {
      const job = { restartPolicy: 'OnFailure', containers: [container('a', { command: ['echo', 'done'] })] }
      await the().apply(pod(job))
      const { status } = await the().until('pod', 'web', (object) => object?.status.phase === 'Succeeded')
      assert.equal(status.containerStatuses[0].state.terminated.reason, 'Completed')
      const { containerId } = await the().container('web', 'a')
      const log = await the().fixture.daemon.api.get(`/v1/containers/${containerId}/log?tail_lines=10`)
      assert.equal(log.text, 'done\n')
    })

    test('whose infra container is killed gets a new sandbox, and all members anew', async () => {
      await the().apply(pod({ containers: [container('a')], initContainers: [container('i', { command: ['true'] })] }))
      const before = await the().untilReady('web')
      const infra = await the().container('web', 'POD')
      assert.ok(infra.pid > 0)
      process.kill(infra.pid, 'SIGKILL')
      const after = await the().until('pod', 'web', (object) => {
        const ready = object?.status.conditions.find(({ type }: { type: string }) => type === 'Ready')
        return ready?.status === 'True' && object.status.containerStatuses[0].restartCount === 1
      })
      assert.equal(after.metadata.uid, before.metadata.uid)
      assert.notEqual(after.status.podIP, before.status.podIP)
      assert.notEqual((await the().container('web', 'POD')).containerId, infra.containerId)
    })

    test('stop keeps the pod and runs nothing of it, also after the daemon has been killed; start goes on', async () => {
      await the().apply(pod({ containers: [container('a')] }))
      await the().untilReady('web')
      const { api } = the().fixture.daemon
      assert.equal((await api.post('/v1/pods/web/actions/stop')).status, 200)
      const stopped = await the().until('pod', 'web', (object) => object?.status.podIP === undefined)
      assert.deepEqual([stopped.status.phase, stopped.status.reason], ['Pending', 'Stopped'])
      await the().fixture.daemon.kill()
      const daemon = await the().fixture.restart()
      const [listed] = (await daemon.api.get('/v1/pods')).json.data
      assert.deepEqual([listed.state, listed.runningContainers], ['stopped', 0])
      assert.equal((await daemon.api.post('/v1/pods/web/actions/start')).status, 200)
      await the().untilReady('web')
    })

    test('runs on while the daemon is killed, and what ended meanwhile is made anew', async () => {
      await the().apply(pod({ containers: [container('a'), container('b')] }))
      await the().untilReady('web')
      const [a, b] = [await the().container('web', 'a'), await the().container('web', 'b')]
      const infra = await the().container('web', 'POD')
      await the().fixture.daemon.kill()
      assert.ok(b.pid > 0)
      process.kill(b.pid, 'SIGKILL')
      await the().fixture.restart()
      const after = await the().until('pod', 'web', (object) => object?.status.containerStatuses[1].restartCount === 1)
      assert.equal(after.status.containerStatuses[0].restartCount, 0)
      assert.equal((await the().container('web', 'a')).pid, a.pid)
      assert.equal((await the().container('web', 'POD')).pid, infra.pid)
    })

    test("users' verbs leave its containers alone, and say whose they are", async () => {
      await the().apply(pod({ containers: [container('a')] }))
      await the().untilReady('web')
      const { containerId } = await the().container('web', 'a')
      const { api } = the().fixture.daemon
      for (const action of ['start', 'stop', 'restart', 'pause']) {
        const answer = await api.post(`/v1/containers/${containerId}/actions/${action}`, {})
        assert.equal(answer.status, 409, answer.text)
        assert.match(answer.json.message, /it belongs to pod web in namespace default/)
      }
      const removed = await api.delete(`/v1/containers/${containerId}/actions/delete?force=true`)
      assert.equal(removed.status, 409)
      assert.equal((await the().container('web', 'a')).state, 'running')
    })

    test('what cannot run says why: an image that is not there, a command, a ConfigMap', async () => {
      const waiting = (reason: string) => (object: KubeObject) =>
        object?.status.containerStatuses?.[0]?.state.waiting?.reason === reason
      await the().apply(pod({ containers: [container('a', { image: `${the().fixture.registry.host}/none` })] }))
      await the().until('pod', 'web', waiting('ErrImagePull'))
      await the().delete('pod', 'web')
      await the().apply(pod({ containers: [container('a', { image: 'localhost/none', imagePullPolicy: 'Never' })] }))
      await the().until('pod', 'web', waiting('ErrImageNeverPull'))
      await the().delete('pod', 'web')
      const env = [{ name: 'MODE', valueFrom: { configMapKeyRef: { name: 'later', key: 'mode' } } }]
      await the().apply(pod({ containers: [container('a', { env })] }))
      const without = await the().until('pod', 'web', waiting('CreateContainerConfigError'))
      assert.match(without.status.containerStatuses[0].state.waiting.message, /configmap "later" not found/)
      await the().apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'later' }, data: { mode: 'now' } })
      await the().untilReady('web', 5000)
    })

    test('a deleted pod has the time that it asks for, and preStop runs within it', async () => {
      const preStop = { exec: { command: ['sh', '-c', 'echo bye > /shared/bye'] } }
      const shared = { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] }
      await the().apply(
        pod({
          terminationGracePeriodSeconds: 600,
          volumes: [{ name: 'shared', hostPath: { path: the().fixture.home.root } }],
          containers: [container('a', { lifecycle: { preStop }, ...shared })],
        }),
      )
      await the().untilReady('web')
      await the().sayIn('web', 'a', 'until [ -e /tmp/ready ]; do sleep 0.1; done')
      const begun = performance.now()
      await the().delete('pod', 'web')
      assert.ok(performance.now() - begun < 300_000, 'its program obeys: nothing waits for the end of its time')
      const reasons = (await the().fixture.daemon.api.get(`/v1/events?since=1&until=${Math.ceil(Date.now() / 1000)}`))
        .text
      assert.match(reasons, /Killing/)
      const { readFileSync, rmSync } = await import('node:fs')
      assert.equal(readFileSync(`${the().fixture.home.root}/bye`, 'utf8'), 'bye\n')
      rmSync(`${the().fixture.home.root}/bye`)
    })
  })
