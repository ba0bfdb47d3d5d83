import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import { MS_BIND, mount } from '../../src/linux/mount.ts'
import { mountsBelow } from '../../src/snapshots/index.ts'
import { type DaemonFixture, daemonFixture } from '../support/daemon-fixture.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const HOST = '/var/tmp/condenser-pod-volumes-host'

const settings = (mode: string) => ({
  kind: 'ConfigMap',
  apiVersion: 'v1',
  metadata: { name: 'settings' },
  data: { mode },
})
const keys = { kind: 'Secret', apiVersion: 'v1', metadata: { name: 'keys' }, stringData: { token: 't0ken' } }
const volumes = [
  { name: 'data', emptyDir: {} },
  { name: 'fast', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
  { name: 'settings', configMap: { name: 'settings' } },
  { name: 'keys', secret: { secretName: 'keys', defaultMode: 0o400 } },
  { name: 'host', hostPath: { path: HOST, type: 'Directory' } },
]
const everywhere = [
  { name: 'data', mountPath: '/data' },
  { name: 'data', mountPath: '/part', subPath: 'a/b' },
  { name: 'fast', mountPath: '/fast' },
  { name: 'settings', mountPath: '/settings' },
  { name: 'settings', mountPath: '/mode', subPath: 'mode' },
  { name: 'keys', mountPath: '/keys' },
  { name: 'host', mountPath: '/host', subPath: 'sub', readOnly: true },
]

for (const runtime of ['crun', 'runc'] as const)
  describe(`volumes of pods in containers, with ${runtime}`, () => {
    let fixture: DaemonFixture
    before(async () => {
      mkdirSync(join(HOST, 'sub'), { recursive: true })
      writeFileSync(join(HOST, 'sub/file'), 'of the host')
      fixture = await daemonFixture({ runtime })
    })
    afterEach(async () => {
      for (const [kind, name] of [
        ['Pod', 'p'],
        ['ConfigMap', 'settings'],
        ['Secret', 'keys'],
      ] as const) {
        await api().delete(`/v1/objects/${kind}/${name}?wait=true`)
      }
      for (const directory of [fixture.home.root, fixture.home.run]) {
        assert.deepEqual(readdirSync(join(directory, 'pods')), [])
        assert.deepEqual(mountsBelow(join(directory, 'pods')), [])
      }
      assert.deepEqual(readdirSync(HOST, { recursive: true }).sort(), ['sub', 'sub/file'])
    })
    after(async () => {
      await fixture[Symbol.asyncDispose]()
      rmSync(HOST, { recursive: true })
    })

    const api = () => fixture.daemon.api
    const container = (script: string, rest: object = {}) => ({
      name: 'app',
      image: fixture.image,
      command: ['sh', '-c'],
      args: [script],
      volumeMounts: everywhere,
      ...rest,
    })
    const podOf = (spec: object) => ({
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name: 'p' },
      spec: { restartPolicy: 'Never', terminationGracePeriodSeconds: 0, volumes, ...spec },
    })
    const apply = async (...items: readonly object[]) => {
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
      const { status, text } = await api().post('/v1/resource/apply', list)
      assert.ok(status === 200 || status === 201, text)
    }
    /** Looks at the pod, as Kubernetes shows it, until it is as it should be. */
    // biome-ignore lint/suspicious/noExplicitAny: an answer's JSON
    const until = async (what: (pod: any) => boolean) => {
      for (let tries = 1; ; tries++) {
        const pod = (await api().get('/v1/objects/Pod/p')).json.data
        if (what(pod)) return pod
        assert.ok(tries < 1200, JSON.stringify(pod.status) + fixture.daemon.log().slice(-3000))
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
    const log = async (name = 'app') => (await api().get(`/v1/containers/p_default_${name}_0/log?tail_lines=100`)).text
    const isDone = ({ status }: { status: { phase: string } }) => ['Succeeded', 'Failed'].includes(status.phase)

    test('all of them, as they are on a cluster', async () => {
      const script = `exec 2>&1; cat /settings/mode /mode /keys/token /host/file; echo
        for path in /data /part /fast; do echo $path > $path/written && stat -c '%n %a %g' $path; done
        stat -c '%n %a %u:%g' -L /keys/token /settings/mode
        echo x > /settings/new; echo x > /keys/new; echo x > /host/new; rm /settings/mode
        cat /data/a/b/written; stat -f -c %T /fast; df /fast | tail -1 | tr -s ' ' | cut -d' ' -f2`
      await apply(
        settings('slow'),
        keys,
        podOf({
          securityContext: { runAsUser: 1000, runAsGroup: 1000, fsGroup: 4321 },
          containers: [container(script)],
        }),
      )
      await until(isDone)
      assert.deepEqual((await log()).trim().split('\n'), [
        'slowslowt0kenof the host',
        '/data 2777 4321',
        '/part 2777 4321',
        '/fast 2777 4321',
        '/keys/token 440 0:4321',
        '/settings/mode 644 0:4321',
        "sh: can't create /settings/new: Read-only file system",
        "sh: can't create /keys/new: Read-only file system",
        "sh: can't create /host/new: Read-only file system",
        "rm: can't remove '/settings/mode': Read-only file system",
        '/part',
        'tmpfs',
        '1024',
      ])
    })

    test('what is changed shows in a container that runs, as a whole', async () => {
      const script =
        'cat /settings/mode; echo; until [ "$(cat /settings/mode)" = fast ]; do sleep 0.05; done; cat /settings/mode /mode'
      await apply(settings('slow'), keys, podOf({ containers: [container(script)] }))
      await until(({ status }) => status.phase === 'Running')
      await apply(settings('fast'))
      await until(isDone)
      assert.equal((await log()).trim(), 'slow\nfastslow')
    })

    test('no container leads the part of another out of their volume', async () => {
      const linked = [{ name: 'data', mountPath: '/part', subPath: 'link/etc' }]
      await apply(
        podOf({
          volumes: volumes.slice(0, 1),
          initContainers: [container('ln -s / /data/link', { name: 'evil', volumeMounts: everywhere.slice(0, 1) })],
          containers: [container('cat /part/shadow; echo x > /part/x', { volumeMounts: linked })],
        }),
      )
      const { status } = await until((pod) =>
        pod.status.containerStatuses?.[0].state.waiting?.reason?.startsWith('Create'),
      )
      const { reason, message } = status.containerStatuses[0].state.waiting
      assert.equal(reason, 'CreateContainerConfigError')
      assert.match(message, /subPath.*leads out of the volume/)
      assert.equal(existsSync('/etc/x'), false)
    })

    test('a restart of the daemon leaves them as they are', async () => {
      const script = 'echo kept > /fast/file; until [ -e /data/go ]; do sleep 0.05; done; cat /fast/file /settings/mode'
      await apply(settings('slow'), keys, podOf({ containers: [container(script)] }))
      const { metadata } = await until(({ status }) => status.phase === 'Running')
      await fixture.restart()
      writeFileSync(join(fixture.home.root, 'pods', metadata.uid, 'volumes/data/go'), '')
      await until(isDone)
      assert.equal((await log()).trim(), 'kept\nslow')
      assert.equal(readFileSync(join(fixture.home.root, 'pods', metadata.uid, 'volumes/fast/file'), 'utf8'), 'kept\n')
    })

    test('what is there of a pod without a record goes when the daemon starts', async () => {
      const stray = [fixture.home.root, fixture.home.run].map((directory) => join(directory, 'pods/no-such-pod'))
      for (const directory of stray) {
        mkdirSync(join(directory, 'volumes/data'), { recursive: true })
        mount(join(HOST, 'sub'), join(directory, 'volumes/data'), null, MS_BIND, null)
      }
      const { json } = await api().post('/v1/system/check')
      assert.deepEqual(
        json.data.findings.map(({ subject }: { subject: string }) => subject),
        ['volumes of pod no-such-pod'],
      )
      await fixture.restart()
      for (const directory of stray) assert.equal(existsSync(directory), false)
    })

    const points = ['directory:3', 'memory', 'write', 'switch:2', 'tidy', 'bind:2', 'unmount', 'remove']
    for (const point of runtime === 'crun' ? points : []) {
      test(`a daemon killed at ${point} goes on where it was`, async () => {
        await fixture.restart({ ...fixture.options, env: { CONDENSER_FAILPOINT: `pod-volumes.${point}` } })
        const pod = podOf({ containers: [container('cat /mode /keys/token /host/file')] })
        // It may end before it has answered.
        await apply(settings('slow'), keys, pod).catch(() => {})
        if (['unmount', 'remove'].includes(point)) {
          await until(isDone)
          await api()
            .delete('/v1/objects/Pod/p')
            .catch(() => {})
        }
        assert.equal((await fixture.daemon.ended).signal, 'SIGKILL')
        await fixture.restart()
        if (['unmount', 'remove'].includes(point)) return
        await until(isDone)
        assert.equal((await log()).trim(), 'slowt0kenof the host')
      })
    }
  })
