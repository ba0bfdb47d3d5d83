import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { MS_BIND, MS_SHARED, mount, unmount } from '../../src/linux/mount.ts'
import { eventually } from '../support/eventually.ts'
import { kubeFixture } from '../support/kube-fixture.ts'
import { run } from '../support/lan.ts'
import { podManifest } from '../support/manifests.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const SLEEP = ['sleep', '1000']
const HOST_IP = '192.0.2.10'
const OTHER_IP = '192.0.2.11'
const HOST_RESOLV_CONF = 'nameserver 192.0.2.53\nsearch host.example\noptions timeout:1\n'
/** Its last line has no end. */
const HOST_HOSTS = '127.0.0.1 localhost\n192.0.2.10 up.example'
const KINDS = ['net', 'pid', 'ipc', 'uts']

for (const runtime of ['crun', 'runc'] as const)
  describe(`fields of pods with ${runtime}`, () => {
    let directory: string
    let shared: string
    // Before the daemon starts: its thread that spawns has a copy of the mounts of that moment.
    before(() => {
      directory = mkdtempSync('/var/tmp/cd-fields-')
      for (const [name, text] of [
        ['hosts', HOST_HOSTS],
        ['resolv.conf', HOST_RESOLV_CONF],
      ] as const) {
        writeFileSync(join(directory, name), text)
        mount(join(directory, name), `/etc/${name}`, null, MS_BIND, null)
      }
      shared = join(directory, 'shared')
      mkdirSync(shared)
      mount(shared, shared, null, MS_BIND, null)
      mount('none', shared, null, MS_SHARED, null)
      for (const name of ['inner', 'outer']) mkdirSync(join(shared, name))
      run(undefined, 'ip link add up0 type bridge')
      run(undefined, 'ip link set up0 up')
      for (const address of [HOST_IP, OTHER_IP]) run(undefined, `ip address add ${address}/24 dev up0`)
      run(undefined, 'ip route add default via 192.0.2.1')
    })
    const the = kubeFixture({ runtime })
    after(() => {
      run(undefined, 'ip link del up0')
      for (const path of ['/etc/hosts', '/etc/resolv.conf', shared]) unmount(path)
      rmSync(directory, { recursive: true })
    })

    const container = (name: string, more: object = {}) => ({ name, image: the().image, command: SLEEP, ...more })
    const pod = (name: string, spec: object = {}) =>
      podManifest({ terminationGracePeriodSeconds: 0, containers: [container('main')], ...spec }, { name })
    const say = (name: string, script: string) => the().sayIn(name, 'main', script)
    const namespacesOf = async (name: string) =>
      (await say(name, KINDS.map((kind) => `readlink /proc/self/ns/${kind}`).join(';'))).trim().split('\n')

    test('network, processes and IPC of the host, or none of them', async () => {
      const hostAliases = [{ ip: '10.9.8.7', hostnames: ['elsewhere', 'there'] }]
      const ofHost = { hostNetwork: true, hostPID: true, hostIPC: true, hostAliases }
      await the().apply(pod('web', ofHost), pod('own'))
      const { status } = await the().untilReady('web')
      await the().untilReady('own')
      const host = KINDS.map((kind) => readlinkSync(`/proc/self/ns/${kind}`))
      assert.deepEqual((await namespacesOf('web')).slice(0, 3), host.slice(0, 3))
      const own = await namespacesOf('own')
      assert.deepEqual(
        own.filter((name, index) => name === host[index]),
        [],
      )

      assert.deepEqual([status.podIP, status.podIPs, status.hostIP], [HOST_IP, [{ ip: HOST_IP }], HOST_IP])
      assert.match((await the().get('pod', 'own')).status.podIP, /^10\./)
      assert.equal(await say('web', 'hostname'), `${hostname().toLowerCase()}\n`)
      assert.equal(await say('web', 'cat /etc/hosts'), `${HOST_HOSTS}\n10.9.8.7\telsewhere\n10.9.8.7\tthere\n`)
      assert.match(await say('web', 'ip -4 addr show up0'), new RegExp(`inet ${HOST_IP}/24`))
      assert.match(await say('own', 'ip -4 addr show up0'), /can't find device/)
      const runs = `test -d /proc/${process.pid} && echo seen; true`
      assert.deepEqual([await say('web', runs), await say('own', runs)], ['seen\n', ''])
      const { dev, ino } = statSync('/dev/shm')
      const shm = 'stat -c %d:%i /dev/shm'
      assert.equal(await say('web', shm), `${dev}:${ino}\n`)
      assert.notEqual(await say('own', shm), `${dev}:${ino}\n`)
    })

    const linesOf = async (name: string) => (await say(name, 'cat /etc/resolv.conf')).trim().split('\n').toSorted()

    test("names of the cluster in the host's network, also while no other pod is there", async () => {
      await the().apply(pod('web', { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }), {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'front' },
        spec: { type: 'ClusterIP', ports: [{ port: 80 }] },
      })
      await the().untilReady('web')
      assert.deepEqual(await linesOf('web'), [
        `nameserver ${the().fixture.home.subnet.replace('.0.0/16', '.0.254')}`,
        'options ndots:5',
        'search default.svc.cluster.local svc.cluster.local cluster.local host.example',
      ])
      const { clusterIP } = (await the().get('service', 'front')).spec
      const found = await say('web', 'nslookup front.default.svc.cluster.local')
      assert.match(found, new RegExp(`^Address: ${clusterIP}$`, 'm'))
    })

    test('how names are resolved by the other policies', async () => {
      const dnsConfig = {
        nameservers: ['192.0.2.1', '2001:db8::1'],
        searches: ['a.example', 'b.example'],
        options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
      }
      await the().apply(
        pod('none', { dnsPolicy: 'None', dnsConfig }),
        pod('default', { dnsPolicy: 'Default', dnsConfig: { searches: ['a.example'] } }),
        pod('host', { hostNetwork: true }),
      )
      for (const name of ['none', 'default', 'host']) await the().untilReady(name)
      assert.deepEqual(await linesOf('none'), [
        'nameserver 192.0.2.1',
        'nameserver 2001:db8::1',
        'options ndots:2 edns0',
        'search a.example b.example',
      ])
      assert.deepEqual(await linesOf('default'), [
        'nameserver 192.0.2.53',
        'options timeout:1',
        'search host.example a.example',
      ])
      assert.deepEqual(await linesOf('host'), HOST_RESOLV_CONF.trim().split('\n').toSorted())
    })

    test('a port of the host, at one of its addresses only', async () => {
      const serves = (name: string, hostIP: string | undefined, hostPort = 8081) =>
        pod(name, {
          containers: [
            container('main', {
              command: ['sh', '-c', `mkdir /w; echo ${name} > /w/who; exec httpd -f -p 80 -h /w`],
              ports: [{ containerPort: 80, hostPort, ...(hostIP && { hostIP }) }],
            }),
          ],
        })
      await the().apply(serves('one', HOST_IP), serves('two', OTHER_IP), serves('any', undefined, 8082))
      for (const name of ['one', 'two', 'any']) await the().untilReady(name)
      const ask = async (host: string, port: number) => {
        const [response] = await once(get(`http://${host}:${port}/who`, { agent: false }), 'response')
        let text = ''
        for await (const chunk of response) text += chunk
        return text
      }
      const untilAsked = (host: string, port: number) =>
        eventually(
          () => ask(host, port).catch(String),
          (text) => !text.startsWith('Error'),
        )
      assert.equal(await untilAsked(HOST_IP, 8081), 'one\n')
      assert.equal(await untilAsked(OTHER_IP, 8081), 'two\n')
      await assert.rejects(ask('127.0.0.1', 8081), { code: 'ECONNREFUSED' })
      for (const host of [HOST_IP, OTHER_IP, '127.0.0.1']) assert.equal(await untilAsked(host, 8082), 'any\n')
    })

    test('what is mounted on the host later comes in, and what a container mounts goes out, if that is asked for', async (t) => {
      const mounted = (name: string, mountPropagation: string | undefined, more: object = {}) =>
        container(name, {
          volumeMounts: [{ name: 'host', mountPath: '/host', ...(mountPropagation && { mountPropagation }) }],
          ...more,
        })
      await the().apply(
        pod('web', {
          volumes: [{ name: 'host', hostPath: { path: shared } }],
          containers: [
            mounted('none', undefined),
            mounted('in', 'HostToContainer', { securityContext: { privileged: true } }),
            mounted('both', 'Bidirectional', { securityContext: { privileged: true } }),
          ],
        }),
      )
      await the().untilReady('web')
      const sees = async (name: string, where: string) => (await the().sayIn('web', name, `ls /host/${where}`)).trim()
      mount('tmpfs', join(shared, 'outer'), 'tmpfs', 0, null)
      t.after(() => ['inner', 'outer'].map((name) => unmount(join(shared, name))))
      writeFileSync(join(shared, 'outer/seen'), '')
      assert.deepEqual(
        [await sees('none', 'outer'), await sees('in', 'outer'), await sees('both', 'outer')],
        ['', 'seen', 'seen'],
      )
      await the().sayIn('web', 'in', 'mount -t tmpfs none /host/inner && touch /host/inner/kept')
      assert.deepEqual([await sees('in', 'inner'), await sees('both', 'inner')], ['kept', ''])
      await the().sayIn('web', 'both', 'mount -t tmpfs none /host/inner && touch /host/inner/made')
      assert.deepEqual([await sees('none', 'inner'), await sees('both', 'inner')], ['', 'made'])
      assert.ok(statSync(join(shared, 'inner/made')))
    })

    test('a mount of the host that is shared with nobody cannot be had otherwise', async () => {
      const path = join(directory, 'private')
      mkdirSync(path, { recursive: true })
      const volumeMounts = [{ name: 'host', mountPath: '/host', mountPropagation: 'HostToContainer' }]
      await the().apply(
        pod('web', {
          volumes: [{ name: 'host', hostPath: { path } }],
          containers: [container('main', { volumeMounts })],
        }),
      )
      const { status } = await the().until(
        'pod',
        'web',
        ({ status }) => status.containerStatuses?.[0].state.waiting?.message,
      )
      assert.match(status.containerStatuses[0].state.waiting.message, /is not shared; try: mount --make-shared/)
    })
  })
