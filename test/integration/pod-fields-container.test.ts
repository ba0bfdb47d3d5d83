import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { kubeFixture } from '../support/kube-fixture.ts'
import { podManifest } from '../support/manifests.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { makeCertificate, pushImage, startRegistry } from '../support/registry.ts'
import { busyboxImage } from '../support/test-image.ts'
import { wsClient } from '../support/ws-client.ts'

runInOwnNamespaces(import.meta.filename)

const SLEEP = ['sleep', '1000']

for (const runtime of ['crun', 'runc'] as const)
  describe(`fields of containers of pods with ${runtime}`, () => {
    const the = kubeFixture({ runtime })
    const container = (name: string, more: object = {}) => ({ name, image: the().image, command: SLEEP, ...more })
    const pod = (name: string, spec: object = {}) =>
      podManifest({ terminationGracePeriodSeconds: 0, containers: [container('main')], ...spec }, { name })
    const say = (name: string, script: string) => the().sayIn(name, 'main', script)

    test('variables: of resources, of whole ConfigMaps and Secrets with a prefix; what is optional may be absent', async () => {
      const ofResource = (name: string, resource: string, more: object = {}) => ({
        name,
        valueFrom: { resourceFieldRef: { resource, ...more } },
      })
      const optional = { name: 'none', key: 'none', optional: true }
      const main = container('main', {
        resources: { limits: { memory: '64Mi', cpu: '1500m' }, requests: { cpu: '250m' } },
        envFrom: [
          { prefix: 'C_', configMapRef: { name: 'settings' } },
          { prefix: 'S_', secretRef: { name: 'keys' } },
          { configMapRef: { name: 'none', optional: true } },
          { secretRef: { name: 'none', optional: true } },
        ],
        env: [
          ofResource('MEMORY', 'limits.memory', { divisor: '1Mi' }),
          ofResource('BYTES', 'limits.memory'),
          ofResource('CPUS', 'requests.cpu'),
          ofResource('MILLIS', 'requests.cpu', { divisor: '1m' }),
          ofResource('OTHERS', 'limits.memory', { containerName: 'other', divisor: '1Ki' }),
          { name: 'NO_MAP', valueFrom: { configMapKeyRef: optional } },
          { name: 'NO_KEY', valueFrom: { secretKeyRef: { ...optional, name: 'keys' } } },
        ],
      })
      const other = container('other', { resources: { limits: { memory: '32Mi' } } })
      await the().apply(
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { mode: 'fast', '1x': 'one' } },
        { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' }, stringData: { key: 's3cret' } },
        pod('web', { containers: [main, other] }),
      )
      await the().untilReady('web')
      const environ = (await say('web', 'tr "\\0" "\\n" < /proc/1/environ')).trim().split('\n')
      const own = environ.filter((line) => !/^(PATH|HOME|HOSTNAME)=/.test(line))
      assert.deepEqual(own.toSorted(), [
        'BYTES=67108864',
        'CPUS=1',
        'C_1x=one',
        'C_mode=fast',
        'MEMORY=64',
        'MILLIS=250',
        'OTHERS=32768',
        'S_key=s3cret',
      ])
    })

    test('what runs, where, and with which input', async () => {
      const script = 'pwd; echo "$0 $1 $2"; test -t 0 && echo terminal; read line; echo "got $line"; exec sleep 1000'
      const main = (name: string, more: object = {}) =>
        container(name, {
          command: ['sh', '-c', script],
          args: ['$(WHO)', '$$(WHO)', '$(NONE)'],
          env: [{ name: 'WHO', value: 'you' }],
          ...more,
        })
      await the().apply(
        pod('web', {
          containers: [
            main('plain'),
            main('there', { workingDir: '/var/www', stdin: true }),
            main('terminal', { workingDir: '/not/there', tty: true, stdin: true }),
          ],
        }),
      )
      await the().untilReady('web')
      const { api } = the().fixture.daemon
      const idOf = async (name: string) => (await the().container('web', name)).containerId
      const untilSays = async (name: string, text: string) => {
        const path = `/v1/containers/${await idOf(name)}/log?tail_lines=10`
        const log = async () => (await api.get(path)).text.replaceAll('\r', '')
        assert.equal(await eventually(log, (seen) => seen.length >= text.length), text)
      }
      const type = async (name: string) => {
        const socket = join(the().fixture.home.run, 'condenser.sock')
        using client = await wsClient(socket, `/v1/containers/${await idOf(name)}/streams?stdin=true`)
        client.type('hello\n')
        await client.until(/got hello/)
      }
      const begin = 'you $(WHO) $(NONE)\n'
      // Nobody can type anything: there is nothing to wait for.
      await untilSays('plain', `/\n${begin}got \n`)
      await untilSays('there', `/var/www\n${begin}`)
      await type('there')
      await untilSays('there', `/var/www\n${begin}got hello\n`)
      await untilSays('terminal', `/not/there\n${begin}terminal\n`)
      await type('terminal')
      // A terminal shows what is typed.
      await untilSays('terminal', `/not/there\n${begin}terminal\nhello\ngot hello\n`)
    })

    // What follows does not depend on how processes are run.
    if (runtime === 'runc') return

    test('an image of a private registry, with the login of a Secret', async () => {
      const auth = { username: 'ann', password: 'secret-1' }
      await using registry = await startRegistry({ htpasswd: auth })
      const layers = [[{ path: 'from', content: registry.host }]]
      await pushImage(registry, 'team/app', busyboxImage({ layers }))
      const secret = (name: string, password: string) => ({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name },
        type: 'kubernetes.io/dockerconfigjson',
        stringData: {
          '.dockerconfigjson': JSON.stringify({
            auths: { [registry.host]: { auth: Buffer.from(`${auth.username}:${password}`).toString('base64') } },
          }),
        },
      })
      const pulls = (name: string, ...secrets: readonly string[]) =>
        pod(name, {
          containers: [container('main', { image: `${registry.host}/team/app` })],
          imagePullSecrets: secrets.map((name) => ({ name })),
        })
      await the().apply(secret('right', auth.password), secret('wrong', 'secret-2'))
      await the().apply(pulls('anybody'), pulls('impostor', 'wrong'), pulls('ann', 'none', 'right'))
      await the().untilReady('ann')
      assert.equal(await say('ann', 'cat /from'), registry.host)
      for (const name of ['anybody', 'impostor']) {
        await eventually(
          () => the().events('pod', name),
          (events) => events.some(({ reason, message }) => reason === 'Failed' && /credentials/.test(message)),
        )
      }
    })

    test('a pod that is active for longer than it may is ended', async () => {
      const within = (activeDeadlineSeconds: number) =>
        pod('web', {
          activeDeadlineSeconds,
          terminationGracePeriodSeconds: 1,
          containers: [container('main'), container('other')],
        })
      await the().apply(within(1000))
      await the().untilReady('web')
      await the().apply(within(5))
      const { status } = await the().until('pod', 'web', (object) => object.status.phase === 'Failed')
      assert.equal(status.reason, 'DeadlineExceeded')
      assert.equal(status.message, 'Pod was active on the node longer than the specified deadline')
      for (const { state } of status.containerStatuses) {
        assert.equal(state.terminated.exitCode, 137)
        const activeMs = Date.parse(state.terminated.finishedAt) - Date.parse(status.startTime)
        assert.ok(activeMs >= 5000, JSON.stringify(status))
      }
      const reasons = (await the().events('pod', 'web')).map(({ reason }) => reason)
      assert.ok(reasons.includes('DeadlineExceeded'), `${reasons}`)
    })

    test('a probe by HTTPS of a server of the host, with headers, and not before its delay', async () => {
      await using server = await secureServer()
      const readinessProbe = {
        httpGet: {
          scheme: 'HTTPS',
          host: '127.0.0.1',
          port: server.port,
          path: '/health?deep=1',
          httpHeaders: [
            { name: 'Host', value: 'web.example' },
            { name: 'X-Asked-By', value: 'a probe' },
          ],
        },
        initialDelaySeconds: 3,
        periodSeconds: 1,
        timeoutSeconds: 30,
      }
      await the().apply(pod('web', { containers: [container('main', { readinessProbe })] }))
      await eventually(
        () => the().events('pod', 'web'),
        (events) => events.some(({ reason, message }) => reason === 'Unhealthy' && /statuscode: 503/.test(message)),
      )
      const { status } = await the().get('pod', 'web')
      assert.equal(status.containerStatuses[0].ready, false)
      server.answer(200)
      await the().untilReady('web')
      const [first] = server.asked
      const delayMs = first!.at - Date.parse(status.containerStatuses[0].state.running.startedAt)
      assert.ok(delayMs >= 3000, `asked after ${delayMs} ms`)
      assert.deepEqual([first!.url, first!.host, first!.askedBy], ['/health?deep=1', 'web.example', 'a probe'])
    })
  })

/** Of a certificate that nobody knows; answers 503 until it is told something else. */
async function secureServer() {
  const directory = mkdtempSync(join(tmpdir(), 'probed-'))
  const { certificate, key } = await makeCertificate(directory)
  const asked: { readonly at: number; readonly url?: string; readonly host?: string; readonly askedBy?: unknown }[] = []
  let status = 503
  const server: Server = createServer(
    { cert: readFileSync(certificate), key: readFileSync(key) },
    ({ url = '', headers: { host = '', 'x-asked-by': askedBy } }, answer) => {
      asked.push({ at: Date.now(), url, host, askedBy })
      answer.writeHead(status).end()
    },
  )
  rmSync(directory, { recursive: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    answer(code: number) {
      status = code
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
