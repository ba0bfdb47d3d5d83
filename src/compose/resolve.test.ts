import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { read, webOf, withWeb } from '../../test/support/compose.ts'
import { resolveProject } from './index.ts'

describe('interpolation', () => {
  test('of values in each file, not of keys', () => {
    const { project } = read(
      [
        'services: {web: {image: "nginx:${TAG:-1}", labels: {"$KEY": a, b: "$$c"}}}',
        'services: {web: {user: "${USER}"}}',
      ],
      { variables: { USER: 'me' } },
    )
    assert.deepEqual(project.services['web'], { image: 'nginx:1', labels: { $KEY: 'a', b: '$$c' }, user: 'me' })
  })

  test('a variable that is not set is empty, which is told once with its place', () => {
    const { warnings, spec } = read('services:\n  web:\n    image: nginx\n    user: "$U"\n    hostname: a${U}\n')
    assert.deepEqual(warnings, ['compose.yaml, line 4: the variable U is not set, and taken as empty'])
    assert.equal(spec.services['web']?.user, undefined)
  })

  test('numbers and truths may be variables', () => {
    const web = webOf('tty: "${T}"\nmem_limit: "${M}"\nports: ["${P}:80"]\nscale: ${N}', '', {
      variables: { T: 'yes', M: '64m', P: '8080', N: '1' },
    })
    assert.deepEqual(
      [web.tty, web.resources.memoryBytes, web.ports[0]?.hostPort, web.replicas],
      [true, 67108864, 8080, 1],
    )
  })

  test('faults of all files are told with their lines', () => {
    assert.throws(
      () => read(['services:\n  web:\n    image: "$("\n', 'services:\n  web:\n    user: ${U:?who}\n    tty: 7\n']),
      {
        code: 'invalid_argument',
        message:
          'The project has 3 faults: ' +
          'compose.yaml, line 3: services.web.image has "$(", which is no variable; write $$ for a $; ' +
          'over1.yaml, line 3: services.web.user needs the variable U, which is not set, or empty: who; ' +
          'over1.yaml, line 4: services.web.tty must be true or false or a text, not 7',
      },
    )
  })

  test('COMPOSE_PROJECT_NAME is the name of the project', () => {
    const text = 'services: {web: {image: x, hostname: "$COMPOSE_PROJECT_NAME"}}'
    assert.equal(read(text).spec.services['web']?.hostname, 'shop')
    assert.equal(read(`name: a$B\n${text}`, { variables: { B: 'b' } }).spec.services['web']?.hostname, 'ab')
    assert.equal(read(text, { projectName: 'other' }).spec.services['web']?.hostname, 'other')
    assert.equal(read(text, { variables: { COMPOSE_PROJECT_NAME: 'shell' } }).spec.services['web']?.hostname, 'shell')
  })
})

describe('the name', () => {
  const nameOf = (name: string, given = {}) => read(`${name}\nservices: {web: {image: x}}`, given).project.name

  test('is the one that is asked for, or that of the last file, or that of the directory', () => {
    assert.equal(nameOf('name: a', { projectName: 'b' }), 'b')
    assert.equal(nameOf('name: a'), 'a')
    assert.equal(nameOf('', { directory: '/srv/My Shop_1.0/' }), 'myshop_10')
    assert.equal(nameOf('', { directory: '/srv/__x' }), 'x')
    const { project } = read(['name: a\nservices: {web: {image: x}}', 'name: b'])
    assert.equal(project.name, 'b')
  })

  test('must be one', () => {
    for (const name of ['Shop', '-a', 'a.b', 'a'.repeat(64), '"a b"']) {
      assert.throws(
        () => nameOf(`name: ${name}`),
        /line 1: name is ".*", which is no name of a project: use lower-case/,
      )
    }
    assert.throws(() => nameOf('', { directory: '/' }), /name is missing: use lower-case/)
    assert.throws(() => nameOf('', { directory: undefined }), /name is missing/)
    assert.throws(() => nameOf('', { projectName: 'A' }), /name is "A", which is no name/)
  })
})

describe('environment', () => {
  test('a name without a value has that of the client, or is not set', () => {
    const given = { variables: { A: 'a', D: '' } }
    assert.deepEqual(webOf('environment: [A, B, C=c, D]', '', given).env, ['A=a', 'C=c', 'D='])
    assert.deepEqual(webOf('environment: {A: , B: , C: c, E: true, F: 1.50}', '', given).env, [
      'A=a',
      'C=c',
      'E=true',
      'F=1.5',
    ])
  })

  const disk = {
    '/srv/shop/a.env': 'A=1\nB=$A$X\nC=file\n',
    '/srv/shop/b.env': 'B="two"\nD=$C\nHERE\n',
    '/etc/raw.env': 'R="$A"\n',
  }

  test('files come first, later ones win, and environment wins over all', () => {
    const given = { disk, variables: { X: 'x', HERE: 'h' } }
    assert.deepEqual(webOf('env_file: a.env', '', given).env, ['A=1', 'B=1x', 'C=file'])
    assert.deepEqual(webOf('env_file: [a.env, ./b.env]\nenvironment: {C: own}', '', given).env, [
      ...['A=1', 'B=two', 'C=own', 'D=own', 'HERE=h'],
    ])
    assert.deepEqual(webOf('env_file: [{path: /etc/raw.env, format: raw}]', '', given).env, ['R="$A"'])
  })

  test('a file may be missing if it is not required', () => {
    assert.deepEqual(webOf('env_file: [{path: no.env, required: false}, a.env]', '', { disk }).env.length, 3)
    assert.throws(
      () => read(withWeb('env_file:\n- a.env\n- no.env'), { disk }),
      /compose\.yaml, line 6: services\.web\.env_file\[1\] names the file \/srv\/shop\/no\.env, which is not there/,
    )
    assert.throws(
      () => read(withWeb('env_file: bad.env'), { disk: { '/srv/shop/bad.env': 'A=1\n?' } }),
      /\/srv\/shop\/bad\.env, line 2: "\?" is not NAME=value/,
    )
    assert.throws(
      () => read(withWeb('env_file: [{path: a.env, format: toml}]'), { disk }),
      /has the format "toml"; known is raw/,
    )
  })

  test('without a client there are no files', () => {
    assert.throws(
      () => read(withWeb('env_file: /a.env')),
      /line 4: services\.web\.env_file\[0\] names the file "\/a\.env", which only the client can read/,
    )
  })
})

describe('paths', () => {
  test('are of the directory, or of the home', () => {
    const web = webOf('volumes: [".:/a", "../x:/b", "~/y:/c", "/z/../w:/d"]', '', { variables: { HOME: '/home/me' } })
    assert.deepEqual(
      web.mounts.map((mount) => mount.type === 'bind' && mount.source),
      ['/srv/shop', '/srv/x', '/home/me/y', '/w'],
    )
  })

  test('where they cannot be known an absolute one is wanted', () => {
    const given = { directory: undefined, projectName: 'x' }
    assert.throws(
      () => read(withWeb('volumes: ["./x:/b"]'), given),
      /line 4: services\.web\.volumes\[0\]\.source is "\.\/x", and the directory that it is relative to is not known here: give an absolute path/,
    )
    assert.throws(() => read(withWeb('volumes: ["~:/b"]')), /is "~", and the home directory/)
    assert.equal(webOf('volumes: ["/x:/b"]', '', given).mounts.length, 1)
    assert.throws(
      () => read(withWeb('secrets: [a]', 'secrets: {a: {file: ./a}}'), given),
      /secrets\.a\.file is "\.\/a"/,
    )
  })
})

describe('profiles', () => {
  const text = `
services:
  web: {image: x, depends_on: {debug: {condition: service_started, required: false}}}
  debug: {image: y, profiles: [debug, all]}
`
  test('who has others only is left out, and not waited for where that is not required', () => {
    assert.deepEqual(Object.keys(read(text).project.services), ['web'])
    assert.deepEqual(read(text).spec.services['web']?.dependsOn, {})
    for (const profiles of [['debug'], ['other', 'all'], ['*']]) {
      const { project, spec } = read(text, { profiles })
      assert.deepEqual(project.services['debug'], { image: 'y' })
      assert.deepEqual(spec.services['web']?.dependsOn, { debug: { condition: 'started', required: false } })
    }
  })

  test('who needs one that is left out is told', () => {
    const needs = 'services:\n  web: {image: x, depends_on: [debug]}\n  debug: {image: y, profiles: [debug]}\n'
    assert.throws(() => read(needs), /line 2: services\.web\.depends_on\.debug is of a profile that was not asked for/)
    assert.throws(() => read('services: {a: {image: x, profiles: [p]}}'), /services: there is none/)
  })
})

describe('extends', () => {
  test('of the same file, over several services', () => {
    const { project } = read(`
services:
  base: {image: x, environment: {A: 1, B: 1}, command: [a], ports: ["80"]}
  middle: {extends: base, environment: [B=2]}
  web: {extends: {service: middle}, command: [b], ports: !override ["81"]}
`)
    const { image, environment, command, ports } = project.services['web']!
    assert.deepEqual(
      [image, environment, command, ports?.map(({ target }) => target)],
      ['x', { A: '1', B: '2' }, ['b'], [81]],
    )
    assert.equal('extends' in project.services['web']!, false)
  })

  const disk = {
    '/srv/shop/common/base.yaml': `
services:
  app: {extends: root, volumes: ["./data:/data"], env_file: app.env, user: "$U"}
  root: {image: base}
  far: {extends: {file: ../far.yaml, service: far}}
  loop: {extends: {file: /srv/shop/loop.yaml, service: back}}
`,
    '/srv/shop/common/app.env': 'A=1\n',
    '/srv/shop/far.yaml': 'services: {far: {image: far, volumes: ["./f:/f"]}}',
    '/srv/shop/loop.yaml': 'services: {back: {extends: {file: common/base.yaml, service: loop}}}',
  }
  const extending = (service: string) =>
    `services:\n  web:\n    extends: {file: common/base.yaml, service: ${service}}\n`

  test('of another file, whose paths are of its own directory', () => {
    const { spec } = read(extending('app'), { disk, variables: { U: 'me' } })
    const { image, mounts, env, user } = spec.services['web']!
    assert.deepEqual([image, env, user], ['base', ['A=1'], 'me'])
    assert.equal(mounts[0]?.type === 'bind' && mounts[0].source, '/srv/shop/common/data')
    const far = read(extending('far'), { disk }).spec.services['web']!
    assert.equal(far.mounts[0]?.type === 'bind' && far.mounts[0].source, '/srv/shop/f')
  })

  test('what is not there, and what goes in circles', () => {
    assert.throws(
      () => read(extending('no'), { disk }),
      /line 3: services\.web\.extends names the service no, which is not in \/srv\/shop\/common\/base\.yaml/,
    )
    assert.throws(
      () => read(extending('app')),
      /services\.web\.extends\.file names the file ".*base\.yaml", which only the client can read/,
    )
    assert.throws(
      () => read('services: {a: {extends: {file: no.yaml, service: x}}}', { disk }),
      /names the file \/srv\/shop\/no\.yaml, which is not there/,
    )
    assert.throws(
      () => read(extending('loop'), { disk }),
      /goes in circles: loop of .*base\.yaml -> back of .*loop\.yaml -> loop of .*base\.yaml/,
    )
    assert.throws(() => read('services: {a: {extends: b}, b: {extends: a}}'), /goes in circles: a -> b -> a/)
    assert.throws(() => read('services: {a: {extends: a}}'), /goes in circles: a -> a/)
  })

  test('a service and that of the same name in another file are two', () => {
    const given = { disk: { '/srv/shop/b.yaml': 'services: {web: {image: b, tty: true}, x: {extends: web}}' } }
    const { project } = read('services: {web: {extends: {file: b.yaml, service: x}, image: a}}', given)
    assert.deepEqual(project.services['web'], { image: 'a', tty: true })
  })
})

describe('include', () => {
  const disk = {
    '/srv/shop/db/compose.yaml':
      'services: {db: {image: "pg:${V:-1}", volumes: ["./d:/d"], extends: {file: x.yaml, service: x}}}\nvolumes: {v: }',
    '/srv/shop/db/x.yaml': 'services: {x: {image: x, tty: true}}',
    '/srv/shop/db/over.yaml': 'services: {db: {user: me}}',
    '/srv/shop/db/.env': 'V=2\nW=w\n',
    '/srv/shop/v.env': 'V=3\n',
    '/srv/shop/a.yaml': 'include: [b.yaml]\nservices: {a: {image: a}}',
    '/srv/shop/b.yaml': 'include: [a.yaml]\nservices: {b: {image: b}}',
    '/srv/shop/left.yaml': 'include: [db/compose.yaml]\nservices: {left: {image: x}}',
    '/srv/shop/right.yaml': 'include: [db/compose.yaml]\nservices: {right: {image: x}}',
  }
  const web = 'services: {web: {image: x}}\n'

  test('brings services with the paths and the variables of their own directory', () => {
    const { spec } = read(`include: [db/compose.yaml]\n${web}`, { disk })
    const db = spec.services['db']!
    assert.deepEqual([db.image, db.tty], ['pg:2', true])
    assert.equal(db.mounts[0]?.type === 'bind' && db.mounts[0].source, '/srv/shop/db/d')
    assert.equal(
      read(`include: [db/compose.yaml]\n${web}`, { disk, variables: { V: '9' } }).spec.services['db']?.image,
      'pg:9',
    )
  })

  test('in the long form has files over one another, env files and a directory', () => {
    const entry = '{path: [db/compose.yaml, db/over.yaml], env_file: v.env, project_directory: db}'
    const db = read(`include: [${entry}]\n${web}`, { disk }).spec.services['db']!
    assert.deepEqual([db.image, db.user], ['pg:3', 'me'])
    const none = '{path: db/compose.yaml, env_file: /dev/null}'
    assert.equal(read(`include: [${none}]\n${web}`, { disk }).spec.services['db']?.image, 'pg:1')
  })

  test('what comes twice must be the same, and may be changed by another file', () => {
    assert.deepEqual(Object.keys(read('include: [left.yaml, right.yaml]', { disk }).project.services), [
      'left',
      'db',
      'right',
    ])
    const own = 'include: [db/compose.yaml]\nservices:\n  db: {image: other}\n'
    assert.throws(
      () => read(own, { disk }),
      /line 3: services\.db is not what the included \/srv\/shop\/db\/compose\.yaml, line 1 says/,
    )
    const over = read([`include: [db/compose.yaml]\n${web}`, 'services: {db: {image: other}}'], { disk })
    assert.equal(over.project.services['db']?.image, 'other')
  })

  test('circles, and what cannot be read', () => {
    assert.throws(
      () => read(`include: [a.yaml]\n${web}`, { disk }),
      /include\[0\] goes in circles: \/srv\/shop\/a\.yaml -> \/srv\/shop\/b\.yaml -> \/srv\/shop\/a\.yaml/,
    )
    assert.throws(
      () => read(`include: [no.yaml]\n${web}`, { disk }),
      /line 1: include\[0\] names the file \/srv\/shop\/no\.yaml, which is not there/,
    )
    assert.throws(
      () => read(`include: [a.yaml]\n${web}`),
      /include\[0\] names the file .*, which only the client can read/,
    )
    const broken = () => {
      throw new Error('it burns')
    }
    const files = [{ name: 'a', text: `name: x\ninclude: [/a.yaml]\n${web}` }]
    assert.throws(
      () => resolveProject({ files, variables: () => undefined, readFile: broken }),
      /cannot be read: it burns/,
    )
  })
})

test('version is told, and gone; extensions and what is not honoured stay', () => {
  const { project, warnings } = read(
    'version: "3.8"\nx-a: 1\nservices: {web: {image: x, x-b: {c: d}, logging: {driver: none}}}',
  )
  assert.deepEqual(Object.keys(project), ['x-a', 'services', 'name'])
  assert.deepEqual(project.services['web'], { image: 'x', 'x-b': { c: 'd' }, logging: { driver: 'none' } } as never)
  assert.deepEqual(warnings, [
    'compose.yaml, line 1: version is obsolete, and not looked at',
    'services.web.logging is not honoured: each container has one log, in the format of CRI',
  ])
})

test('what only reading finds out is told with the line of the file that says it', () => {
  assert.throws(
    () =>
      read([
        'services:\n  web:\n    image: nginx\n    ports: [80]\n',
        'services:\n  web:\n    stop_signal: SIGNO\n    ports:\n    - "99:1/sctp"\n',
      ]),
    {
      message:
        'The project has 2 faults: ' +
        'over1.yaml, line 5: services.web.ports[1]: Invalid port "99:1/sctp": protocol "sctp" is not tcp or udp; ' +
        'over1.yaml, line 3: services.web.stop_signal: Invalid signal "SIGNO": use a name such as SIGTERM or a number from 1 to 64',
    },
  )
})

test('no file, an empty one, and one without services', () => {
  assert.throws(() => read([]), /there is no file/)
  assert.throws(() => read('# nothing\n'), /compose\.yaml: is empty/)
  assert.throws(() => read('x-a: 1'), /services: there is none/)
  assert.throws(() => read('services: {}'), /services: there is none/)
})
