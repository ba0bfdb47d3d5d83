import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { read } from '../../test/support/compose.ts'
import { StatusError } from '../lib/errors.ts'
import { bottleOf, type ComposeProject, readBottleText, resolveProject } from './index.ts'

/** Something of everything that is resolved. */
const SHOP = `
version: "3.9"
x-common: &common {restart: always, logging: {driver: none}, environment: &env {A: 1, B: "$$x"}}
services:
  web:
    <<: *common
    image: "nginx:\${TAG:-1}"
    environment: {<<: *env, C: , PRICE: "5$$", "$KEY": v}
    env_file: web.env
    command: sh -c 'echo $$A'
    ports: ["8080:80", "9000-9001:90-91/udp", {target: 443}]
    volumes: ["./src:/app:ro", "data:/data", "/anon"]
    depends_on: [db]
    networks: {front: {aliases: [w]}, back: }
    secrets: [token, {source: cert, target: c.pem}]
    configs: [{source: site, mode: 0400}]
    extra_hosts: {a: [10.0.0.1, 10.0.0.2]}
    ulimits: {nofile: {soft: 1000, hard: 2000}}
    security_opt: [seccomp=p.json]
    devices: [{source: /dev/fuse}]
    profiles: [all]
    build: .
  db: {extends: {file: base.yaml, service: db}, healthcheck: {test: [CMD, x]}}
  debug: {image: x, profiles: [debug]}
networks: {front: {external: {name: f}}, back: {labels: [a=b]}}
volumes: {data: }
secrets: {token: {environment: TOKEN}, cert: {file: cert.pem}, unset: {environment: NONE}}
configs: {site: {content: "a $$ {x}"}}
`
const DISK = {
  '/srv/shop/web.env': 'D=$TOKEN\nE="a $$ b"\n',
  '/srv/shop/base.yaml': 'services: {db: {image: pg, volumes: ["./d:/d"], environment: [F=$$]}}',
  '/srv/shop/p.json':
    '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG", "comment": "$"}]}',
}
const GIVEN = { disk: DISK, variables: { TOKEN: 's$e$$cret' }, profiles: ['all'] }

/** What is read again as it was sent: as JSON, without what only the client has. */
const again = (project: ComposeProject) =>
  resolveProject({ files: [{ name: 'sent', text: JSON.stringify(project) }], variables: () => undefined }).project

describe('a resolved project', () => {
  test('needs nothing else, and stays as it is', () => {
    const { project, spec } = read(SHOP, GIVEN)
    assert.deepEqual(again(project), project)
    const sent = readBottleText(JSON.stringify(project))
    assert.deepEqual(sent.manifest, { name: 'shop', spec })
    assert.deepEqual(sent.warnings, bottleOf(project).warnings)
  })

  test('says what its files say', () => {
    const { spec } = read(SHOP, GIVEN)
    const web = spec.services['web']!
    assert.deepEqual(web.env, ['D=s$e$$cret', 'E=a $ b', 'PRICE=5$', '$KEY=v', 'A=1', 'B=$x'])
    assert.deepEqual(web.command, ['sh', '-c', 'echo $A'])
    assert.deepEqual(web.options.restart, { name: 'always' })
    assert.deepEqual(spec.services['db']?.env, ['F=$'])
    assert.deepEqual(
      web.files.map(({ from }) => ('data' in from ? Buffer.from(from.data, 'base64').toString() : from.source)),
      ['s$e$$cret', '/srv/shop/cert.pem', 'a $ {x}'],
    )
  })

  test('stays as it is whatever texts are in it', () => {
    const key = fc.string({ minLength: 1, unit: fc.constantFrom('a', 'B', '_', '.', '-', '$', ' ', '"', 'é') })
    const value = fc.string({
      unit: fc.oneof(
        fc.constantFrom('$', '{', '}', '\\', "'", '"', '\n', '#', ':', ' '),
        fc.string({ minLength: 1, maxLength: 1 }),
      ),
    })
    const record = fc.dictionary(
      key.filter((text) => !text.includes('=')),
      value,
    )
    fc.assert(
      fc.property(record, record, value, fc.array(value, { minLength: 1 }), (environment, labels, content, command) => {
        fc.pre(!JSON.stringify([environment, labels, content, command]).includes('\\u0000'))
        const escaped = (text: string) => text.replaceAll('$', '$$$$')
        const entries = (map: Readonly<Record<string, string>>) =>
          Object.fromEntries(Object.entries(map).map(([name, entry]) => [name, escaped(entry)]))
        const own = { environment: entries(environment), labels: entries(labels), command: command.map(escaped) }
        const text = JSON.stringify({
          services: { web: { image: 'x', configs: ['c'], ...own } },
          configs: { c: { content: escaped(content) } },
        })
        const { project, spec } = read(text)
        const web = spec.services['web']!
        assert.deepEqual(again(project), project)
        assert.deepEqual(
          new Set(web.env),
          new Set(Object.entries(environment).map(([name, entry]) => `${name}=${entry}`)),
        )
        assert.deepEqual(web.labels, { ...labels })
        assert.deepEqual(web.command, command)
        const [{ from } = { from: { data: '' } }] = web.files
        assert.equal('data' in from && Buffer.from(from.data, 'base64').toString(), Buffer.from(content).toString())
      }),
      { numRuns: 60 },
    )
  })
})

test('bottleOf tells what it finds without lines', () => {
  const project = {
    name: 'a',
    services: { web: { image: 'x', ports: [{ target: 0 }], gpus: 'all' } },
  } as unknown as ComposeProject
  assert.throws(() => bottleOf(project), {
    code: 'invalid_argument',
    message:
      'The project has 2 faults: services.web.gpus is not supported: only devices can give a container a device; ' +
      'services.web.ports[0]: Invalid port ":0/tcp": "0" is not a port from 1 to 65535',
  })
})

describe('the text of a request', () => {
  test('is a Compose file that must do without files and variables', () => {
    const { manifest, warnings } = readBottleText(
      'name: a\nservices: {web: {image: "nginx:${TAG:-1}", user: "$U", environment: [X]}}',
    )
    assert.equal(manifest.spec.services['web']?.image, 'nginx:1')
    assert.deepEqual(manifest.spec.services['web']?.env, [])
    assert.deepEqual(warnings, ['the file, line 2: the variable U is not set, and taken as empty'])
    const cases: readonly (readonly [string, RegExp])[] = [
      ['services: {web: {image: x}}', /the file, line 1: name is missing/],
      [
        'name: a\nservices: {web: {image: x, env_file: /a}}',
        /which only the client can read: have it resolve the project/,
      ],
      ['name: a\nservices: {web: {image: x, volumes: ["./a:/a"]}}', /give an absolute path/],
      ['name: a\nservices: {web: {image: "${X:?why}"}}', /needs the variable X/],
      ['', /the file: is empty/],
      ['bottle', /the file, line 1: must be an object/],
    ]
    for (const [text, message] of cases)
      assert.throws(() => readBottleText(text), { code: 'invalid_argument', message }, text)
  })

  test('up to ten faults are told at once, and how many more there are', () => {
    const lines = Array.from({ length: 13 }, (_, index) => `    key${index}: 1`)
    assert.throws(
      () => readBottleText(`name: a\nservices:\n  web:\n    image: x\n${lines.join('\n')}\n`),
      (error) => {
        assert.ok(error instanceof StatusError)
        assert.match(
          error.message,
          /^The project has 13 faults: the file, line 5: services\.web\.key0 is unknown; .*key9 is unknown; and 3 more$/,
        )
        assert.equal(Object.keys(error.details?.['faults'] ?? {}).length, 13)
        return true
      },
    )
  })

  test('any text is read, or refused as invalid', () => {
    const word = fc.constantFrom(
      ...[
        'services',
        'web',
        'image',
        'ports',
        'volumes',
        'environment',
        'extends',
        'depends_on',
        'networks',
        'bottle',
        'name',
      ],
      ...[
        'secrets',
        'configs',
        'deploy',
        'healthcheck',
        'ulimits',
        'x-a',
        '__proto__',
        'constructor',
        'build',
        'env_file',
        '<<',
      ],
    )
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 6 },
        fc.oneof(
          word,
          fc.integer(),
          fc.boolean(),
          fc.constant(null),
          fc.constantFrom('80:80', '$', '${A}', '/a:/b', '', 'a=b', '1m'),
        ),
        fc.dictionary(word, tie('value')),
        fc.array(tie('value'), { maxLength: 3 }),
      ),
    }))
    const file = fc.record(
      {
        name: fc.constant('a'),
        services: fc.dictionary(word, fc.dictionary(word, value)),
        networks: value,
        volumes: value,
        bottle: value,
      },
      { requiredKeys: ['services'] },
    )
    fc.assert(
      fc.property(fc.oneof(file, value), fc.boolean(), (content, asYaml) => {
        const text = JSON.stringify(content)
        try {
          readBottleText(asYaml ? `# not JSON\n${text}` : text)
        } catch (error) {
          assert.ok(error instanceof StatusError && error.code === 'invalid_argument', String(error))
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('what multiplies is bounded', () => {
  const refused = (text: string, message: RegExp) =>
    assert.throws(() => readBottleText(text), { code: 'invalid_argument', message })

  test('services that extend one another', () => {
    const many = Array.from({ length: 900 }, (_, index) => `  s${index}: {extends: base}`)
    refused(
      `name: a\nservices:\n  base: {image: x, labels: {a: ${'x'.repeat(100_000)}}}\n${many.join('\n')}`,
      /too large with all that it extends and includes/,
    )
    const chain = Array.from({ length: 100 }, (_, index) => `  s${index}: {extends: s${index + 1}}`)
    refused(`name: a\nservices:\n${chain.join('\n')}\n  s100: {image: x}`, /goes over more than 32 services/)
  })

  test('ranges of ports', () => {
    const ranges = Array.from({ length: 60 }, (_, index) => `"127.0.0.${index}:1-1024:1-1024"`)
    refused(
      `name: a\nservices: {web: {image: x, ports: [${ranges.join(',')}]}}`,
      /all ranges together have too many ports/,
    )
  })

  test('services, and items of lists', () => {
    const services = Array.from({ length: 1001 }, (_, index) => `  s${index}: {image: x}`)
    refused(`name: a\nservices:\n${services.join('\n')}`, /services are more than 1000/)
    refused(`bottle: {name: a}\nservices:\n${services.join('\n')}`, /services are more than 1000/)
    refused(`name: a\nservices: {web: {image: x, ports: [${'1,'.repeat(2000)}]}}`, /a list may have 1024 items at most/)
  })

  test('files that are included', () => {
    const disk = Object.fromEntries(
      Array.from({ length: 16 }, (_, index) => [
        `/srv/shop/f${index}.yaml`,
        `include: [{path: f${index + 1}.yaml}, {path: [f${index + 1}.yaml]}]`,
      ]),
    )
    const last = { '/srv/shop/f16.yaml': 'services: {web: {image: x}}' }
    assert.throws(
      () => read('include: [f0.yaml]', { disk: { ...disk, ...last } }),
      /too large with all that it extends and includes/,
    )
  })

  test('a large project that is one is read', () => {
    const services = Array.from(
      { length: 500 },
      (_, index) =>
        `  s${index}: {image: x, ports: ["${index + 1}"], labels: {a: b}, depends_on: [${index === 0 ? '' : 's0'}]}`,
    )
    assert.equal(
      Object.keys(readBottleText(`name: a\nservices:\n${services.join('\n')}`).manifest.spec.services).length,
      500,
    )
  })
})
