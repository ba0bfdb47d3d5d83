import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, describe, test } from 'node:test'
import { eventually, inTime } from '../support/eventually.ts'
import { kubeFixture } from '../support/kube-fixture.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const RAIND = join(import.meta.dirname, '../../bin/raind')

describe('the command line client on objects of Kubernetes', () => {
  const the = kubeFixture()

  function start(args: readonly string[]): ChildProcess {
    const env = { ...process.env, CONDENSER_SOCKET: join(the().fixture.home.run, 'condenser.sock') }
    return spawn(RAIND, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  }

  async function raindWith(
    input: string,
    ...args: string[]
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const child = start(args)
    child.stdin!.end(input)
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout!),
      text(child.stderr!),
      once(child, 'close') as Promise<[number]>,
    ])
    return { code, stdout, stderr }
  }

  const raind = (...args: string[]) => raindWith('', ...args)

  /** Of a command that has to succeed. */
  async function output(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await raind(...args)
    assert.equal(code, 0, `raind ${args.join(' ')}: ${stderr}`)
    return stdout
  }

  /** Until the command has printed that; the command itself, to be ended. */
  async function until(pattern: RegExp, ...args: string[]): Promise<string> {
    const child = start(args)
    let printed = ''
    const print = async () => {
      for await (const chunk of child.stdout!.setEncoding('utf8')) {
        printed += chunk
        if (pattern.test(printed)) return printed
      }
      assert.fail(`raind ${args.join(' ')} has ended after ${printed}`)
    }
    try {
      return await inTime(print(), () => printed)
    } finally {
      child.kill()
    }
  }

  /** Manifests in a directory of their own. */
  const manifestsDir = () => join(the().fixture.home.root, '../manifests')
  afterEach(() => rmSync(manifestsDir(), { recursive: true, force: true }))

  function put(files: Readonly<Record<string, string>>): string {
    const directory = manifestsDir()
    mkdirSync(directory, { recursive: true })
    for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content)
    return directory
  }

  const container = (name: string, script: string) => ({
    name,
    image: the().image,
    imagePullPolicy: 'IfNotPresent',
    command: ['sh', '-c', script],
  })

  const pod = (name: string, containers: readonly object[], more: { spec?: object; metadata?: object } = {}) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels: { app: name }, ...more.metadata },
      spec: { terminationGracePeriodSeconds: 0, containers, ...more.spec },
    })

  const SLEEP = 'exec sleep 1000'

  test('apply, get, diff, describe and delete a directory of manifests', async () => {
    const service = (port: number) =>
      `apiVersion: v1\nkind: Service\nmetadata: {name: front}\nspec:\n  selector: {app: web}\n  ports: [{port: ${port}}]\n`
    const set = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 'set' },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'set' } },
        template: { metadata: { labels: { app: 'set' } }, spec: { containers: [container('app', SLEEP)] } },
      },
    }
    const directory = put({
      'a.yaml': `# a pod and its settings\n---\n${pod('web', [container('app', SLEEP)])}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: one}\n`,
      'b.json': JSON.stringify(set),
      'c.yml': service(80),
    })
    const lines = (action: string) =>
      ['pod/web', 'configmap/settings', 'replicaset.apps/set', 'service/front']
        .map((name) => `${name} ${action}\n`)
        .join('')
    assert.equal(await output('apply', '-f', directory, '--dry-run'), lines('created (server dry run)'))
    assert.equal(await output('get', 'all'), '')
    assert.equal(await output('apply', '-f', directory), lines('created'))
    assert.equal(await output('resource', 'apply', '-f', directory), lines('unchanged'))
    assert.match(
      await until(/web +1\/1 +Running/, 'get', 'pods', '-w'),
      /^NAME +READY +STATUS +RESTARTS +AGE\nweb +\d\/1 /,
    )

    const all = await output('get', 'all')
    assert.match(all, /^pod\/web +1\/1 +Running +0 +\d+s\n\nNAME +TYPE/m)
    assert.match(all, /^service\/front +ClusterIP +[\d.]+ +<none> +80\/TCP +/m)
    assert.match(all, /^replicaset\.apps\/set +0 +0 +0 +/m, 'no replicas are none')
    assert.equal(await output('get', 'cm', '-o', 'name'), 'configmap/settings\n')
    assert.match(
      await output('get', 'svc', 'front', '-o', 'yaml'),
      /^apiVersion: v1\nkind: Service\nmetadata:\n {2}creationT/,
    )
    assert.equal(JSON.parse(await output('get', 'pods', '-o', 'json')).items[0].metadata.name, 'web')
    assert.equal(JSON.parse(await output('get', 'pod/web', '--json'))[0].spec.containers[0].name, 'app')

    assert.deepEqual(await raind('diff', '-f', directory), { code: 0, stdout: '', stderr: '' })
    put({ 'c.yml': service(81) })
    const diff = await raind('diff', '-f', directory)
    assert.equal(diff.code, 1)
    assert.match(diff.stdout, /^--- LIVE\/v1\.Service\.default\.front\n\+\+\+ MERGED\/.*\n@@ .* @@\n/m)
    assert.match(diff.stdout, /^- {2}- port: 80\n\+ {2}- port: 81\n/m)

    const described = await output('describe', 'pod', 'web')
    assert.match(described, /^Name: +web\nNamespace: +default\n/)
    assert.match(described, /^ {4}State: +Running\n {6}Started: +\w{3}, /m)
    assert.match(described, /^ {2}Normal +Started +\d+s +Started container app$/m)
    assert.match(await output('describe', 'svc/front'), /^Endpoints: +10\.\d+\.\d+\.\d+:80$/m)

    const deleted = await output('delete', '-f', directory)
    assert.equal(
      deleted,
      'pod "web" deleted\nconfigmap "settings" deleted\nreplicaset.apps "set" deleted\nservice "front" deleted\n',
    )
    const nothing = await raind('get', 'all')
    assert.deepEqual(nothing, { code: 0, stdout: '', stderr: 'No resources found in default namespace.\n' })
    assert.equal((await raind('delete', '-f', directory)).code, 1)
    assert.equal(await output('delete', '-f', directory, '--ignore-not-found'), '')
  })

  test('apply, diff and delete take the namespace of what names none', async () => {
    const manifest = put({
      'c.json': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"b"}}',
    })
    assert.equal((await raind('diff', '-f', manifest, '-n', 'blue')).code, 1)
    assert.equal(await output('apply', '-f', manifest, '-n', 'blue'), 'configmap/c created\n')
    assert.equal((await raind('diff', '-f', manifest, '-n', 'blue')).code, 0)
    assert.match(await output('get', 'configmap', '-A'), /^blue +c /m)
    const other = put({ 'c.json': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","namespace":"red"}}' })
    for (const verb of ['apply', 'diff', 'delete']) {
      const { code, stderr } = await raind(verb, '-f', other, '-n', 'blue')
      assert.notEqual(code, 0)
      assert.match(stderr, /ConfigMap "c" is of namespace "red", and not of "blue" as is asked for/)
    }
    put({ 'c.json': '{"kind":"ConfigMap","metadata":{"name":"c"}}' })
    assert.equal(await output('delete', '-f', manifest, '-n', 'blue'), 'configmap "c" deleted\n')
  })

  test('nothing is applied if one document is wrong, and it is told which', async () => {
    const directory = put({
      'a.yaml': pod('web', [container('app', SLEEP)]),
      'b.json': 'kind: Pod\n---\nkind: Podd\n',
      'c.yml': '',
    })
    const wrong = await raind('apply', '-f', directory)
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /^ {2}\S*manifests\/b\.json, document 1: /m)
    put({ 'b.json': '', 'c.yml': 'kind: Pod\nspec: {a: 1}}\n' })
    const broken = await raind('diff', '-f', directory)
    assert.equal(broken.code, 2)
    assert.match(broken.stderr, /^raind: .*manifests\/c\.yml, document 1: .* at line 2, column /)
    assert.equal(await output('get', 'pods'), '')
    assert.equal((await raind('apply')).code, 125)
    assert.equal((await raindWith('# nothing\n', 'apply', '-f', '-')).code, 1)
  })

  test('logs, exec and attach of pods', async () => {
    const containers = [
      container('app', 'echo err >&2; sleep 0.1; echo out; read line; echo "got $line"'),
      container('log', `echo logs; ${SLEEP}`),
    ]
    const stdin = { ...containers[0], stdin: true, stdinOnce: true }
    const spec = { initContainers: [container('init', 'echo begun')] }
    assert.equal((await raindWith(pod('web', [stdin, containers[1]!], { spec }), 'apply', '-f', '-')).code, 0)
    await until(/web +2\/2 +Running/, 'get', 'pod', 'web', '-w')
    await until(/out/, 'logs', '-f', 'web')
    await until(/logs/, 'logs', '-f', 'pod/web', '-c', 'log')

    const note = 'Defaulted container "app" out of: app, log, init (init)\n'
    assert.deepEqual(await raind('logs', 'web'), { code: 0, stdout: 'out\n', stderr: `${note}err\n` })
    assert.deepEqual(await raind('logs', 'pod/web', '-c', 'log'), { code: 0, stdout: 'logs\n', stderr: '' })
    assert.equal(await output('logs', 'po/web', '--all-containers', '-n', 'default'), 'begun\nout\nlogs\n')
    assert.match((await raind('logs', 'pod/web', '-p')).stderr, /no previous container "app" of pod "web"/)
    assert.match(
      (await raind('logs', 'pod/web', '-c', 'x')).stderr,
      /has no container "x"\n {2}It has: app, log, init \(init\)/,
    )
    assert.match((await raind('logs', 'pod/web', '-n', 'other')).stderr, /there is no "web" in namespace "other"/)

    assert.deepEqual(await raind('exec', 'web', '--', 'echo', '-n', 'hi'), { code: 0, stdout: 'hi', stderr: note })
    assert.equal(await output('exec', 'pod/web', '-c', 'log', '--', 'hostname'), 'web\n')
    assert.equal((await raind('exec', '-c', 'log', 'web', 'sh', '-c', 'exit 7')).code, 7)
    assert.match((await raind('exec', 'nobody', 'true')).stderr, /No such container: "nobody"/)
    assert.equal((await raind('exec', 'rs/web', 'true')).code, 125)

    const attached = await raindWith('me\n', 'attach', 'pod/web', '-c', 'app')
    assert.deepEqual([attached.code, attached.stdout], [0, 'got me\n'])
    await until(/web +2\/2 +Running +1 /, 'get', 'pod', 'web', '-w')
    assert.equal(await output('logs', 'pod/web', '-c', 'app', '-p'), 'out\ngot me\n')
  })

  test('a replica set is scaled, pods are stopped, started and deleted by what says which', async () => {
    const set = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 'set', namespace: 'team' },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'set' } },
        template: {
          metadata: { labels: { app: 'set' } },
          spec: { terminationGracePeriodSeconds: 0, containers: [container('app', SLEEP)] },
        },
      },
    }
    assert.equal(await output('resource', 'ns', 'create', 'team'), 'namespace/team created\n')
    assert.equal((await raindWith(JSON.stringify(set), 'apply', '-f', '-')).stdout, 'replicaset.apps/set created\n')
    assert.equal(await output('scale', 'rs/set', '--replicas=2', '-n', 'team'), 'replicaset.apps/set scaled\n')
    await until(/set +2 +2 +2 /, 'get', 'rs', 'set', '-n', 'team', '-w')
    assert.equal((await raind('scale', 'rs', 'set', '--replicas', '-1', '-n', 'team')).code, 125)
    assert.equal((await raind('scale', 'svc', 'set', '--replicas', '1')).code, 125)
    assert.equal((await raind('get', 'rs', 'set')).code, 1, 'in another namespace')
    assert.match(
      await output('get', 'pods', '-A', '--show-labels'),
      /^NAMESPACE +NAME .* LABELS\nteam +set-.* app=set\n/,
    )
    assert.match(await output('describe', 'rs', '-n', 'team'), /^Pods Status: +2 Running \/ 0 Waiting/m)

    const [first = ''] = (await output('pod', 'ls', '-n', 'team', '-o', 'name')).split('\n')
    const name = first.replace('pod/', '')
    assert.equal(await output('pod', 'stop', name, '-n', 'team'), `pod: ${name} stopped\n`)
    await until(/ 0\/1 +Stopped /, 'get', 'pod', name, '-n', 'team', '-w')
    assert.equal(await output('resource', 'pod', 'start', name, '-n', 'team'), `pod: ${name} started\n`)
    await until(/ 1\/1 +Running /, 'pod', 'ls', name, '-n', 'team', '-w')
    assert.equal(JSON.parse(await output('pod', 'inspect', name, '-n', 'team'))[0].metadata.name, name)

    assert.equal((await raind('delete', 'pods', '-n', 'team')).code, 125, 'which of them is not said')
    const missing = await raind('delete', 'pod', 'nobody', name, '-n', 'team', '--force')
    assert.deepEqual([missing.code, missing.stdout], [1, `pod "${name}" force deleted\n`])
    assert.equal(await output('delete', 'pod/nobody', '--ignore-not-found'), '')
    assert.equal(await output('delete', 'rs', '-l', 'app=other', '-n', 'team'), '')
    const names = async () => (await output('get', 'pods', '-n', 'team', '-o', 'name')).trim().split('\n')
    await eventually(names, ({ length }) => length >= 2)
    assert.equal(
      await output('delete', 'rs', 'set', '-n', 'team', '--cascade=orphan'),
      'replicaset.apps "set" deleted\n',
    )
    const left = (await output('get', 'pods', '-l', 'app=set', '-n', 'team', '--no-headers')).trim().split('\n')
    assert.equal(left.length, 2)
    assert.equal(await output('resource', 'namespace', 'rm', 'team'), 'namespace "team" deleted\n')
    assert.equal(await output('get', 'ns', '-o', 'name'), 'namespace/default\n')
  })

  test('completion knows kinds, names, containers and namespaces', async () => {
    assert.equal((await raindWith(pod('web', [container('app', SLEEP)]), 'apply', '-f', '-')).code, 0)
    const complete = async (...words: string[]) => (await output('__complete', ...words)).trim().split('\n')
    assert.deepEqual(await complete('get', 'pod', ''), ['web'])
    assert.deepEqual(await complete('describe', 'po/'), ['po/web'])
    assert.ok((await complete('logs', '')).includes('pod/web'))
    assert.deepEqual(await complete('exec', '-c', ''), [''])
    assert.deepEqual(await complete('logs', 'pod/web', '-c', ''), ['app'])
    assert.deepEqual(await complete('get', 'pod', '-n', ''), ['default'])
    assert.ok((await complete('resource', '')).includes('apply'))
  })
})
