import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { mariadbImage } from '../support/mariadb-image.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const OBEYS = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.05; done']
/** Healthy after a moment. */
const WELL_LATER = ['sh', '-c', `(sleep 0.5; touch /well) & ${OBEYS[2]}`]
const OFTEN = { interval: '100ms', start_period: '30s', start_interval: '100ms', timeout: '60s' }
const SERVES = { test: ['CMD', 'wget', '-qO-', 'http://127.0.0.1/v'], ...OFTEN }
const IS_WELL = { test: ['CMD', 'test', '-e', '/well'], ...OFTEN }

interface Step {
  readonly type: string
  readonly name: string
  readonly did: string
  readonly status?: string
  readonly message: string
}

describe('bottles', () => {
  let fixture: DaemonFixture
  const api = () => fixture.daemon.api

  before(async () => {
    fixture = await daemonFixture({ images: { db: mariadbImage() } })
    await api().post('/v1/images', { image: `${fixture.registry.host}/db` })
  })
  after(() => fixture?.[Symbol.asyncDispose]())
  afterEach(async () => {
    for (const { bottleId } of (await api().get('/v1/bottle')).json.data.bottles) {
      const answer = await act(bottleId, 'delete', { volumes: true, timeout: 0 })
      assert.equal(answer.status, 200, answer.text)
    }
    await fixture.clear()
  })

  const service = (more: object = {}) => ({ image: fixture.image, command: OBEYS, ...more })
  const project = (services: object, more: object = {}) => JSON.stringify({ name: 'shop', services, ...more })
  const act = (bottle: string, action: string, body: object = {}) =>
    api().post(`/v1/bottle/${bottle}/actions/${action}`, body)

  async function up(text: string, query = ''): Promise<Step[]> {
    const answer = await api().send('PUT', `/v1/bottle?${query}`, text)
    assert.equal(answer.status, 200, answer.text)
    return answer.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  }

  /** What was done, of one that succeeds. */
  async function done(text: string, query = ''): Promise<string[]> {
    const steps = await up(text, query)
    assert.equal(steps.at(-1)?.type, 'done', steps.at(-1)?.message ?? '')
    return steps.slice(0, -1).map(({ name, did }) => `${name} ${did}`)
  }

  /** Why it was not done. */
  async function failure(text: string): Promise<string> {
    const last = (await up(text)).at(-1)!
    assert.equal(last.status, 'fail')
    return last.message
  }

  const show = async (bottle = 'shop') => (await api().get(`/v1/bottle/${bottle}`)).json.data.bottle
  // biome-ignore lint/suspicious/noExplicitAny: as they come from the wire
  const members = async (): Promise<any[]> => (await show()).members
  const states = async () => (await members()).map(({ container }) => `${container.name} ${container.state}`).toSorted()
  const idOf = async (name: string): Promise<string> =>
    (await members()).find(({ container }) => container.name === name).container.containerId

  async function say(name: string, script: string): Promise<string> {
    const body = { command: ['sh', '-c', `exec 2>&1; ${script}`], wait: true }
    const { json } = await api().post(`/v1/containers/${await idOf(name)}/actions/exec`, body)
    return (json.data?.stdout ?? json.message).trim()
  }

  test('a bottle of the original: a site that needs a database', async () => {
    const registered = await api().post(
      '/v1/bottle',
      `bottle: {name: wordpress}
services:
  wp:
    image: ${fixture.registry.host}/db
    command: [httpd, -f, -p, "80", -h, /www]
    env: [DB_HOST=db:3306, DB_NAME=wp, DB_USER=wp, DB_PASSWORD=secret]
    ports: ["18080:80"]
    depends_on: [db]
  db:
    image: ${fixture.registry.host}/db
    env: [DB_NAME=wp, DB_USER=wp, DB_PASSWORD=secret]
policies:
  - {type: east-west, source: wp, destination: db, protocol: tcp, dest_port: 3306, comment: queries}
`,
    )
    assert.equal(registered.status, 201, registered.text)
    const { bottleId, bottleName, services, startOrder, warnings } = registered.json.data
    assert.deepEqual([bottleName, services, startOrder], ['wordpress', ['db', 'wp'], ['db', 'wp']])
    assert.match(warnings.join('\n'), /policies.* not enforced/i)
    const created = await show('wordpress')
    assert.equal(created.status, 'created')
    assert.equal(created.services.wp.env[0], 'DB_HOST=db:3306')
    assert.deepEqual(Object.keys(created.containers).toSorted(), ['db', 'wp'])
    assert.equal(created.containers.wp.name, 'wordpress-wp')
    assert.deepEqual([created.policies[0].type, created.policies[0].destPort], ['east-west', 3306])

    assert.equal((await act(bottleId, 'start')).status, 200)
    assert.equal((await act(bottleId, 'start')).status, 200, 'it may be started again')
    const visit = () => fetch('http://127.0.0.1:18080/cgi-bin/visits').then((answer) => answer.text())
    assert.equal(await eventually(visit, (text) => /^\d+\n$/.test(text)), '1\n')
    const address = (await show('wordpress')).containers.db.address
    const inspected = (await api().get('/v1/containers/wordpress-wp/inspect')).json.data
    assert.ok(inspected.spec.env.includes(`DB_HOST=${address}:3306`), inspected.spec.env.join())
    assert.equal(inspected.metadata.labels['com.docker.compose.project'], 'wordpress')

    assert.equal((await act(bottleId, 'stop')).status, 200)
    assert.equal((await show('wordpress')).status, 'stopped')
    await act('wordpress', 'start')
    assert.equal(await eventually(visit, (text) => /^\d+\n$/.test(text)), '2\n', 'what was written is there')
    assert.equal((await act('wordpress', 'delete')).status, 200)
    assert.equal((await api().get('/v1/bottle/wordpress')).status, 404)
    assert.equal((await api().get('/v1/networks')).json.data.length, 1)
  })

  describe('of Compose files', () => {
    test('up, and up again: conditions are waited for, names lead to those that are well', async () => {
      const text = project({
        db: service({ command: WELL_LATER, healthcheck: IS_WELL }),
        setup: service({
          command: ['sh', '-c', 'sleep 0.3; nslookup db'],
          depends_on: { db: { condition: 'service_healthy' } },
        }),
        web: service({
          networks: { default: { aliases: ['www'] } },
          depends_on: { setup: { condition: 'service_completed_successfully' } },
          deploy: { replicas: 2 },
        }),
      })
      const steps = await done(text)
      const at = (step: string) => steps.indexOf(step)
      assert.ok(at('shop-db-1 started') < at('shop-setup-1 started'))
      assert.ok(at('shop-setup-1 started') < at('shop-web-1 started'))
      const addresses = async (name: string) =>
        [...(await say('shop-web-1', `nslookup ${name} | tail -n +3`)).matchAll(/Address: (\S+)/g)].map(([, ip]) => ip)
      assert.deepEqual(
        (await addresses('web')).toSorted(),
        (await members())
          .filter(({ service }) => service === 'web')
          .map(({ container }) => container.address)
          .toSorted(),
      )
      assert.deepEqual((await addresses('www')).toSorted(), (await addresses('web')).toSorted())
      assert.equal((await addresses('db')).length, 1)
      await say('shop-db-1', 'rm /well')
      await eventually(
        () => addresses('db'),
        (found) => found.length === 0,
      )
      await say('shop-db-1', 'touch /well')
      await eventually(
        () => addresses('db'),
        (found) => found.length === 1,
      )
      // What has completed runs again, as with Compose.
      assert.deepEqual(await done(text), ['shop-setup-1 started'])
      assert.equal((await show()).status, 'abnormal')
    })

    test('only what has changed is made anew, and what depends on it', async () => {
      const of = (env: string, more: object = {}) =>
        project({
          db: service({ environment: [`V=${env}`], command: WELL_LATER, healthcheck: IS_WELL }),
          web: service({ depends_on: { db: { condition: 'service_healthy' } } }),
          other: service(),
          ...more,
        })
      await done(of('1', { old: service() }))
      const before = await Promise.all(['db', 'web', 'other'].map((name) => idOf(`shop-${name}-1`)))
      assert.deepEqual(await done(of('1', { old: service() })), [])
      const steps = await done(of('2'))
      assert.deepEqual(
        steps.filter((step) => step.endsWith(' created')),
        ['shop-db-1 created', 'shop-web-1 created'],
      )
      assert.ok(steps.includes('shop-old-1 removed'))
      const after = await Promise.all(['db', 'web', 'other'].map((name) => idOf(`shop-${name}-1`)))
      assert.deepEqual(
        after.map((id, index) => id === before[index]),
        [false, false, true],
      )
      assert.equal(await say('shop-db-1', 'echo $V'), '2')
      assert.deepEqual(await states(), ['shop-db-1 running', 'shop-other-1 running', 'shop-web-1 running'])
      assert.equal((await done(of('2'), 'recreate=true')).filter((step) => step.endsWith(' created')).length, 3)
    })

    test('scale, and what is started and stopped by the names of services', async () => {
      await done(project({ a: service(), b: service({ depends_on: ['a'] }) }))
      assert.equal((await act('shop', 'scale', { replicas: { a: 3 } })).status, 200)
      assert.deepEqual(
        await states(),
        ['shop-a-1', 'shop-a-2', 'shop-a-3', 'shop-b-1'].map((name) => `${name} running`),
      )
      assert.equal((await act('shop', 'scale', { replicas: { a: 1 } })).status, 200)
      assert.deepEqual(await states(), ['shop-a-1 running', 'shop-b-1 running'])
      await act('shop', 'stop', { services: ['b'] })
      assert.deepEqual(await states(), ['shop-a-1 running', 'shop-b-1 stopped'])
      await act('shop', 'stop')
      await act('shop', 'start', { services: ['b'] })
      assert.deepEqual(await states(), ['shop-a-1 running', 'shop-b-1 running'], 'with what it depends on')
      const unknown = await act('shop', 'scale', { replicas: { c: 1 } })
      assert.equal(unknown.status, 404)
      assert.match(unknown.json.message, /has no service "c": it has a, b/)
    })

    test('volumes, secrets, configs and limits are in the containers', async () => {
      const directory = join(fixture.home.root, '../project')
      mkdirSync(directory, { recursive: true })
      writeFileSync(join(directory, 'key'), 'k3y')
      const web = service({
        user: '1000:1000',
        working_dir: '/tmp',
        read_only: true,
        init: true,
        tmpfs: ['/run'],
        volumes: ['data:/data', `${directory}:/project:ro`],
        secrets: ['key', { source: 'token', target: 'token.txt', uid: '1000', mode: 0o400 }],
        configs: [{ source: 'settings', target: '/etc/settings' }],
        extra_hosts: ['up.example:192.0.2.7'],
        sysctls: { 'net.core.somaxconn': 77 },
        ulimits: { nofile: 500 },
        cap_drop: ['ALL'],
        labels: { tier: 'front' },
        deploy: { resources: { limits: { memory: '64M', pids: 50 } } },
      })
      await done(
        project(
          { web },
          {
            volumes: { data: {} },
            secrets: { key: { file: join(directory, 'key') }, token: { 'x-content': 't0ken' } },
            configs: { settings: { content: 'a=$$b' } },
          },
        ),
      )
      const script = [
        'cat /run/secrets/key; echo; cat /run/secrets/token.txt; echo; cat /etc/settings; echo',
        'id -u; pwd; touch /no 2>&1; grep up.example /etc/hosts; cat /proc/sys/net/core/somaxconn; ulimit -n; ls /project',
      ].join('; ')
      const said = (await say('shop-web-1', script)).split('\n')
      assert.deepEqual(said.slice(0, 5), ['k3y', 't0ken', 'a=$b', '1000', '/tmp'])
      assert.match(said[5]!, /Read-only file system/)
      assert.match(said[6]!, /^192\.0\.2\.7\s+up\.example$/)
      assert.deepEqual(said.slice(7), ['77', '500', 'key'])
      const { spec, metadata } = (await api().get('/v1/containers/shop-web-1/inspect')).json.data
      assert.deepEqual([spec.resources.memoryBytes, spec.resources.pids], [64 * 2 ** 20, 50])
      assert.equal(metadata.labels.tier, 'front')
      await act('shop', 'delete')
      const volumes = async () => (await api().get('/v1/volumes')).json.data.map(({ name }: { name: string }) => name)
      assert.deepEqual(await volumes(), ['shop_data'], 'it is kept')
      await done(project({ web: service({ volumes: ['data:/data'] }) }, { volumes: { data: {} } }))
      await act('shop', 'delete', { volumes: true })
      assert.deepEqual(await volumes(), [])
      assert.equal(existsSync(join(fixture.home.root, 'bottles')), true)
    })
  })

  describe('that fail', () => {
    test('leave nothing, and say which service and why, with its last words', async () => {
      const dies = service({ command: ['sh', '-c', 'echo cannot read the moon >&2; exit 3'] })
      const waits = { depends_on: { job: { condition: 'service_completed_successfully' } } }
      const said = await failure(project({ job: dies, ok: service(), web: service(waits) }))
      assert.match(
        said,
        /^Service "job": it was to complete, and has ended with exit code 3; .*\ncannot read the moon$/,
      )
      assert.deepEqual((await api().get('/v1/bottle')).json.data.bottles, [])
      assert.equal((await api().get('/v1/containers')).json.data, null)
      assert.equal((await api().get('/v1/networks')).json.data.length, 1)

      assert.match(await failure(project({ a: service({ command: ['/no/such'] }) })), /^Service "a": .*\/no\/such/)
      const absent = service({ image: `${fixture.registry.host}/absent` })
      assert.match(await failure(project({ a: service(), b: absent })), /^Service "b": .*absent/)
      const never = service({ healthcheck: { test: ['CMD', 'false'], interval: '50ms', retries: 2 } })
      const needs = service({ depends_on: { sick: { condition: 'service_healthy' } } })
      assert.match(await failure(project({ sick: never, needs })), /^Service "sick": it is unhealthy/)
      const plain = service({ depends_on: { a: { condition: 'service_healthy' } } })
      assert.match(await failure(project({ a: service(), b: plain })), /"a": it has no health check/)
      await done(
        project({
          ok: service(),
          sick: never,
          b: service({ depends_on: { sick: { condition: 'service_healthy', required: false } } }),
        }),
      )
    })

    test('an update that fails leaves what was there, running', async () => {
      const good = project({ db: service(), web: service({ depends_on: ['db'], environment: ['V=1'] }) })
      await done(good)
      const before = await Promise.all(['db', 'web'].map((name) => idOf(`shop-${name}-1`)))
      const bad = { db: service({ environment: ['V=2'] }), web: service({ depends_on: ['db'], command: ['/no/such'] }) }
      assert.match(await failure(project({ ...bad, more: service() })), /^Service "web": /)
      assert.deepEqual(await Promise.all(['db', 'web'].map((name) => idOf(`shop-${name}-1`))), before)
      assert.deepEqual(await states(), ['shop-db-1 running', 'shop-web-1 running'])
      assert.deepEqual(await done(good), [], 'what is wanted is what it was')
    })

    test('what is wrong with a file, a name or an action is told', async () => {
      const refused = async (text: string, status: number, message: RegExp) => {
        const answer = await api().post('/v1/bottle', text)
        assert.equal(answer.status, status, answer.text)
        assert.match(answer.json.message, message)
      }
      await refused('services: [', 400, /line/)
      await refused(project({ a: service({ imagee: 'x' }) }), 400, /services\.a\.imagee.*image/)
      await refused(
        project({ a: service({ depends_on: ['b'] }), b: service({ depends_on: ['a'] }) }),
        400,
        /a -> b -> a|b -> a -> b/,
      )
      await refused(project({ a: service({ volumes: ['./here:/x'] }) }), 400, /absolute/)
      await refused(project({ a: service({ networks: ['none'] }) }), 400, /none/)
      await done(project({ a: service() }))
      await refused(project({ a: service() }), 409, /"shop" is taken/)
      const answer = await act('shop', 'dance')
      assert.deepEqual([answer.status, /one of start, stop/.test(answer.json.message)], [400, true])
      assert.equal((await act('nobody', 'start')).status, 404)
      assert.equal((await api().get('/v1/bottle/nobody')).status, 404)
    })

    test('a large file is read while others are served, with its faults told as those of a small one', async () => {
      const comment = `# ${'x'.repeat(1000)}\n`.repeat(10)
      const ordinary = Array.from({ length: 90 }, (_, index) => `  s${index}: {image: a, environment: [A=${index}]}`)
      const order: string[] = []
      const asked = api().post('/v1/bottle', `${comment}services:\n${ordinary.join('\n')}\n  bad: {imagee: b}\n`)
      await Promise.all([
        asked.then(() => order.push('file')),
        api()
          .get('/v1/version')
          .then(() => order.push('version')),
      ])
      const { status, json } = await asked
      assert.equal(status, 400)
      assert.match(json.message, /line 102: services\.bad\.imagee/)
      assert.deepEqual(order, ['version', 'file'])
      const { json: tooLarge } = await api().post('/v1/bottle', '#'.repeat(1024 * 1024 + 1))
      assert.match(tooLarge.message, /larger than the 1048576 bytes/)
      await done(project({ a: service({ environment: { A: 'x'.repeat(5000) } }) }))
      assert.deepEqual(await states(), ['shop-a-1 running'])
    })

    test('its containers are left alone by users, and its names by others', async () => {
      await done(project({ a: service() }))
      for (const [verb, path, body] of [
        ['POST', 'actions/stop', {}],
        ['POST', 'actions/restart', {}],
        ['POST', 'actions/rename', { name: 'x' }],
        ['DELETE', 'actions/delete?force=true', undefined],
      ] as const) {
        const answer = await api().send(verb, `/v1/containers/shop-a-1/${path}`, body)
        assert.equal(answer.status, 409, answer.text)
        assert.match(answer.json.message, /belongs to bottle shop/)
      }
      await act('shop', 'stop')
      await api().post('/v1/containers/prune', {})
      assert.deepEqual(await states(), ['shop-a-1 stopped'])
      await act('shop', 'delete')
      const id = await runContainer(fixture, { name: 'shop-a-1', command: OBEYS })
      assert.match(await failure(project({ a: service() })), /"shop-a-1" is taken/)
      assert.equal((await api().get(`/v1/containers/${id}`)).json.data.state, 'running')
    })
  })

  test('a service behind its published port is replaced without a failed request', async () => {
    const web = (version: string, healthcheck: object = SERVES) =>
      project({
        web: service({
          environment: [`V=${version}`],
          ports: ['18081:80'],
          healthcheck,
          command: ['sh', '-c', 'mkdir /www; echo $$V > /www/v; exec httpd -f -p 80 -h /www'],
          deploy: { update_config: { order: 'start-first' } },
        }),
      })
    await done(web('1'))
    // An up waits for those that others depend on only.
    await eventually(() => fetch('http://127.0.0.1:18081/v').catch(() => undefined))
    const seen = new Map<string, number>()
    let isOver = false
    const ask = async () => {
      while (!isOver) {
        const init = { headers: { connection: 'close' } }
        const said = await fetch('http://127.0.0.1:18081/v', init)
          .then((answer) => answer.text())
          .catch((error) => String(error.cause))
        seen.set(said.trim(), (seen.get(said.trim()) ?? 0) + 1)
      }
    }
    const clients = Array.from({ length: 4 }, ask)
    const until = (version: string) => eventually(() => (seen.get(version) ?? 0) > 20)
    try {
      await until('1')
      for (const version of ['2', '3', '4']) {
        await done(web(version))
        await until(version)
      }
      // One that never gets well takes nothing from the one that serves.
      const sick = { test: ['CMD', 'false'], interval: '50ms', retries: 2 }
      assert.match(await failure(web('5', sick)), /it is unhealthy/)
      const served = seen.get('4')!
      await eventually(() => seen.get('4')! > served + 20)
    } finally {
      isOver = true
      await Promise.all(clients)
    }
    assert.deepEqual([...seen.keys()].toSorted(), ['1', '2', '3', '4'])
    const [{ container }] = await members()
    assert.deepEqual([container.name, container.forwards[0].source], ['shop-web-1', 18081])
  })

  test('goes on over restarts and deaths of the daemon', async () => {
    await done(project({ a: service(), b: service({ restart: 'always' }) }))
    const before = await members()
    await fixture.daemon.kill()
    await fixture.restart()
    assert.deepEqual(await members(), before)
    assert.deepEqual(await done(project({ a: service(), b: service({ restart: 'always' }) })), [])
  })
})
