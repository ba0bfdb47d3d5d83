import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { read, warningsOf, webOf, withWeb } from '../../test/support/compose.ts'
import type { BottleMount } from '../model/bottle.ts'

const VOLUMES = 'volumes: {data: , other: {name: mine, labels: {a: b}}, there: {external: true}}'

const bind = (source: string, destination: string, more: Partial<BottleMount> = {}) => ({
  ...{ type: 'bind', source, destination, readOnly: false, createSource: true },
  ...more,
})
const volume = (name: string | undefined, destination: string, more = {}) => ({
  ...{ type: 'volume', ...(name !== undefined && { volume: name }), destination, readOnly: false, noCopy: false },
  ...more,
})

describe('volumes', () => {
  test('in short and long syntax', () => {
    const cases: readonly (readonly [string, readonly object[]])[] = [
      ['["/src:/dst"]', [bind('/src', '/dst')]],
      ['["./src:/dst:ro"]', [bind('/srv/shop/src', '/dst', { readOnly: true })]],
      ['["/src:/dst:rw,rslave"]', [bind('/src', '/dst', { propagation: 'rslave' })]],
      ['["data:/dst"]', [volume('data', '/dst')]],
      ['["data:/dst:ro,nocopy"]', [volume('data', '/dst', { readOnly: true, noCopy: true })]],
      ['["/dst"]', [volume(undefined, '/dst')]],
      ['[{type: bind, source: ./src, target: /dst}]', [bind('/srv/shop/src', '/dst')]],
      [
        '[{type: bind, source: /src, target: /dst, read_only: true, bind: {create_host_path: false, propagation: shared}}]',
        [bind('/src', '/dst', { readOnly: true, createSource: false, propagation: 'shared' })],
      ],
      [
        '[{type: volume, source: data, target: /dst, volume: {nocopy: true}}]',
        [volume('data', '/dst', { noCopy: true })],
      ],
      ['[{type: volume, target: /dst}]', [volume(undefined, '/dst')]],
    ]
    for (const [list, mounts] of cases) assert.deepEqual(webOf(`volumes: ${list}`, VOLUMES).mounts, mounts, list)
  })

  test('only those that are mounted are made, under their names', () => {
    const { spec } = read(withWeb('volumes: ["data:/a", "other:/b", "there:/c"]', `${VOLUMES.slice(0, -1)}, unused: }`))
    assert.deepEqual(spec.volumes, {
      data: { labels: {} },
      other: { name: 'mine', labels: { a: 'b' } },
      there: { name: 'there', external: true, labels: {} },
    })
    const old = read(withWeb('volumes: ["v:/a"]', 'volumes: {v: {external: {name: old}}}'))
    assert.deepEqual(old.spec.volumes, { v: { name: 'old', external: true, labels: {} } })
  })

  test('what is not honoured is told', () => {
    const lines = `volumes:
- "/a:/a:z"
- "data:/b:Z"
- {type: bind, source: /c, target: /c, consistency: cached, bind: {recursive: disabled}}
- {type: volume, source: data, target: /d, volume: {labels: {a: b}}}`
    assert.deepEqual(warningsOf(lines, VOLUMES), [
      'services.web.volumes[0].bind.selinux is not honoured',
      'services.web.volumes[1].bind.selinux is not honoured',
      'services.web.volumes[2].consistency is not honoured',
      'services.web.volumes[2].bind.recursive is not honoured',
      'services.web.volumes[3].volume.labels is not honoured',
    ])
  })

  test('what is wrong', () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['["no:/a"]', /line 4: services\.web\.volumes\[0\]\.source is "no", which is not under volumes/],
      ['["constructor:/a"]', /\.source is "constructor", which is not under volumes/],
      ['["data:/a:fast"]', /services\.web\.volumes\[0\] is no volume: the option "fast" is unknown/],
      ['["/a:/b:nocopy"]', /the option "nocopy" is unknown/],
      ['["a::b"]', /is no volume: want \[source:\]target\[:options\], not "a::b"/],
      ['["/a:/b:ro:x"]', /want \[source:\]target/],
      ['["data:b"]', /volumes\[0\]\.target: Invalid mount "b": the destination "b" is not an absolute path/],
      ['["data:/"]', /the destination must not be \//],
      ['["/a:/x/../y"]', /must not contain "\.\."/],
      ['[{type: bind, target: /a}]', /services\.web\.volumes\[0\] needs "source"/],
      ['[{type: bind, source: /a}]', /services\.web\.volumes\[0\] needs "target"/],
      [
        '[{type: bind, source: /a, target: /b, bind: {propagation: far}}]',
        /propagation must be one of rprivate, .* not "far"/,
      ],
      [
        '[{type: npipe, source: /a, target: /b}]',
        /volumes\[0\]\.type is not supported: only bind, volume and tmpfs are/,
      ],
      [
        '[{type: volume, source: data, target: /a, volume: {subpath: x}}]',
        /subpath is not supported: a volume is mounted as a whole/,
      ],
      ['["data:/a"]\ntmpfs: /a', /services\.web\.tmpfs\[0\] is mounted on \/a, as is volumes\[0\]/],
    ]
    for (const [list, message] of cases) {
      assert.throws(() => read(withWeb(`volumes: ${list}`, VOLUMES)), { code: 'invalid_argument', message }, list)
    }
    const top: readonly (readonly [string, RegExp])[] = [
      ['{driver: nfs}', /volumes\.v\.driver is not supported: only local is/],
      ['{driver_opts: {type: nfs}}', /volumes\.v\.driver_opts is not supported: to mount a directory use a bind mount/],
      ['{external: true, labels: {a: b}}', /volumes\.v is external, and not made here: leave out labels/],
      ['{name: "a/b"}', /volumes\.v\.name: Invalid volume name "a\/b"/],
    ]
    for (const [entry, message] of top) {
      assert.throws(() => read(withWeb('volumes: ["v:/a"]', `volumes: {v: ${entry}}`)), { message }, entry)
    }
  })

  test('short and long syntax agree', () => {
    const path = fc.stringMatching(/^\/[a-z]{1,5}(\/[a-z0-9.]{1,5})?$/).filter((text) => !text.includes('/.'))
    const source = fc.oneof(path, fc.constantFrom('data', './x', '../y', undefined))
    fc.assert(
      fc.property(source, path, fc.boolean(), (from, to, readOnly) => {
        const short = `${from === undefined ? '' : `${from}:`}${to}${readOnly && from !== undefined ? ':ro' : ''}`
        const isBind = from !== undefined && from !== 'data'
        const long = JSON.stringify({
          type: isBind ? 'bind' : 'volume',
          source: from,
          target: to,
          read_only: from !== undefined && readOnly,
        })
        assert.deepEqual(webOf(`volumes: ["${short}"]`, VOLUMES).mounts, webOf(`volumes: [${long}]`, VOLUMES).mounts)
      }),
      { numRuns: 40 },
    )
  })
})

test('tmpfs, in both places', () => {
  assert.deepEqual(webOf('tmpfs: /run').tmpfs, [{ destination: '/run', options: [] }])
  assert.deepEqual(webOf('tmpfs: ["/run:size=64m,mode=755", /tmp]').tmpfs, [
    { destination: '/run', options: ['size=64m', 'mode=755'] },
    { destination: '/tmp', options: [] },
  ])
  const long = 'volumes: [{type: tmpfs, target: /t, read_only: true, tmpfs: {size: 1m, mode: 01777}}]'
  assert.deepEqual(webOf(long).tmpfs, [{ destination: '/t', options: ['size=1048576', 'mode=1777', 'ro'] }])
  assert.throws(() => read(withWeb('tmpfs: "/run:fast"')), /services\.web\.tmpfs\[0\]: Invalid tmpfs/)
})

describe('secrets and configs', () => {
  const rest = [
    'secrets: {token: {environment: TOKEN}, cert: {file: ./cert.pem}}',
    'configs: {site: {content: "a $$b ${X}"}, app: {file: /etc/app.conf}, env: {environment: TOKEN}}',
  ].join('\n')
  const given = { variables: { TOKEN: 'p$ss', X: 'x' } }
  const filesOf = (lines: string) => webOf(lines, rest, given).files
  const base64 = (text: string) => Buffer.from(text).toString('base64')

  test('in short syntax are at their place', () => {
    const common = { mode: 0o444, uid: 0, gid: 0 }
    assert.deepEqual(filesOf('secrets: [token, cert]\nconfigs: [site, app, env]'), [
      { kind: 'secret', name: 'token', destination: '/run/secrets/token', from: { data: base64('p$ss') }, ...common },
      {
        kind: 'secret',
        name: 'cert',
        destination: '/run/secrets/cert',
        from: { source: '/srv/shop/cert.pem' },
        ...common,
      },
      { kind: 'config', name: 'site', destination: '/site', from: { data: base64('a $b x') }, ...common },
      { kind: 'config', name: 'app', destination: '/app', from: { source: '/etc/app.conf' }, ...common },
      { kind: 'config', name: 'env', destination: '/env', from: { data: base64('p$ss') }, ...common },
    ])
  })

  test('in long syntax have a target, an owner and permissions', () => {
    const [secret, config] = filesOf(`secrets: [{source: token, target: t.txt, uid: "103", gid: "104", mode: 0440}]
configs: [{source: site, target: /etc/site.conf, mode: "0755"}]`)
    assert.deepEqual(
      [secret?.destination, secret?.uid, secret?.gid, secret?.mode],
      ['/run/secrets/t.txt', 103, 104, 0o440],
    )
    assert.deepEqual([config?.destination, config?.mode], ['/etc/site.conf', 0o755])
    assert.deepEqual(filesOf('configs: [{source: site, target: etc/x}]')[0]?.destination, '/etc/x')
    assert.equal(filesOf('secrets: [{source: token, mode: 0o400}]')[0]?.mode, 0o400)
  })

  test('of a file the owner is that of the file', () => {
    assert.deepEqual(warningsOf('secrets: [{source: cert, uid: "1", mode: 0400}]', rest, given), [
      'services.web.secrets[0].uid is not honoured: the file is mounted as it is',
      'services.web.secrets[0].mode is not honoured: the file is mounted as it is',
    ])
  })

  test('what is wrong', () => {
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ['secrets: [no]', '', /services\.web\.secrets\[0\] is "no", which is not under secrets/],
      [
        'secrets: [a]',
        'secrets: {a: {external: true}}',
        /secrets\.a\.external is not supported: there is no place that keeps it/,
      ],
      [
        'secrets: [a]',
        'secrets: {a: {environment: NO}}',
        /is of the variable NO, which is not set: only the client knows it/,
      ],
      ['secrets: [a]', 'secrets: {a: {}}', /is of neither a file nor a variable/],
      ['configs: [a]', 'configs: {a: {file: /a, content: x}}', /is of more than one of file, environment and content/],
      ['configs: [{source: a, target: ../x}]', 'configs: {a: {content: x}}', /must not contain "\.\."/],
      ['configs: [{source: a, uid: me}]', 'configs: {a: {content: x}}', /configs\[0\]\.uid must be a number, not "me"/],
      [
        'configs: [{source: a, mode: "0999"}]',
        'configs: {a: {content: x}}',
        /mode must be octal permissions such as 0440, not "0999"/,
      ],
      ['configs: [{source: a, mode: 99999}]', 'configs: {a: {content: x}}', /mode must be octal permissions/],
      ['configs: [{target: /a}]', '', /services\.web\.configs\[0\] needs "source"/],
    ]
    for (const [lines, more, message] of cases) assert.throws(() => read(withWeb(lines, more)), { message }, lines)
  })

  test('one in the place of another takes it', () => {
    const more = 'secrets: {a: {file: /a}, b: {file: /b}}'
    assert.deepEqual(
      webOf('secrets: [a, {source: b, target: a}]', more).files.map(({ name }) => name),
      ['b'],
    )
  })

  test('one that nobody uses may be of a variable that is not set', () => {
    assert.deepEqual(webOf('', 'secrets: {a: {environment: NO}}').files, [])
  })
})
