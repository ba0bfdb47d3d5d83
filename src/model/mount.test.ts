import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { StatusError } from '../lib/errors.ts'
import { parseMount, parseVolumesFrom } from './mount.ts'
import { parseTmpfs } from './tmpfs.ts'

test('parseMount() takes source, destination and options', () => {
  const mount = { source: '/srv/data', destination: '/data', readOnly: false, propagation: 'rprivate' }
  assert.deepEqual(parseMount('/srv/data:/data'), mount)
  assert.deepEqual(parseMount('/srv//./data/:/data/'), mount)
  assert.deepEqual(parseMount('/srv/data:/data:ro'), { ...mount, readOnly: true })
  assert.deepEqual(parseMount('/srv/data:/data:rw,rslave'), { ...mount, propagation: 'rslave' })
  assert.deepEqual(parseMount('/:/host:ro'), { ...mount, source: '/', destination: '/host', readOnly: true })
})

test('parseMount() refuses the rest with what is wrong', () => {
  const cases: readonly [string, RegExp][] = [
    ['', /want \[source:\]destination/],
    ['/a:/b:ro:x', /want \[source:\]destination/],
    ['data', /the destination "data" is not an absolute path/],
    ['./data:/data', /the source "\.\/data" is not an absolute path/],
    ['-data:/data', /Invalid volume name "-data"/],
    ['data:/data:rslave', /unknown option "rslave"; a volume has ro, rw, nocopy/],
    ['/srv:/data:nocopy', /unknown option "nocopy"; a path of the host has ro, rw, rprivate/],
    ['/data:data', /the destination "data" is not an absolute path/],
    [':/data', /the source is empty/],
    ['/data:/', /the destination must not be \//],
    ['/data:/.//', /the destination must not be \//],
    ['/srv/../etc:/data', /the source must not contain "\.\."/],
    ['/srv:/../data', /the destination must not contain "\.\."/],
    ['/srv:/data:', /unknown option ""/],
    ['/srv:/data:z', /unknown option "z"; a path of the host has ro, rw, rprivate/],
  ]
  for (const [text, message] of cases) assert.throws(() => parseMount(text), { code: 'invalid_argument', message })
})

test('parseMount() takes volumes by name, and without one', () => {
  const volume = { volume: 'data', destination: '/data', readOnly: false, noCopy: false }
  assert.deepEqual(parseMount('data:/data'), volume)
  assert.deepEqual(parseMount('data:/data/:ro,nocopy'), { ...volume, readOnly: true, noCopy: true })
  assert.deepEqual(parseMount('/data'), { destination: '/data', readOnly: false, noCopy: false })
})

test('parseVolumesFrom()', () => {
  assert.deepEqual(parseVolumesFrom('web'), { container: 'web', readOnly: false })
  assert.deepEqual(parseVolumesFrom('web:rw'), { container: 'web', readOnly: false })
  assert.deepEqual(parseVolumesFrom('web:ro'), { container: 'web', readOnly: true })
  for (const text of ['', ':ro', 'web:', 'web:z', 'web:ro:x']) {
    assert.throws(() => parseVolumesFrom(text), { code: 'invalid_argument' }, text)
  }
})

test('parseMount() never lets a destination leave the root', () => {
  const path = fc.array(fc.constantFrom('/', '.', '..', 'a', 'b c', '\0', ':')).map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.tuple(path, path), ([source, destination]) => {
      try {
        const mount = parseMount(`/${source}:/${destination}`)
        assert.match(mount.destination, /^(?:\/[^/]+)+$/)
        assert(!mount.destination.split('/').some((part) => part === '..' || part === '.'))
      } catch (error) {
        assert(error instanceof StatusError && error.code === 'invalid_argument')
      }
    }),
  )
})

test("parseTmpfs() takes docker's options", () => {
  assert.deepEqual(parseTmpfs('/run'), { destination: '/run', options: [] })
  assert.deepEqual(parseTmpfs('/tmp/:size=64m,mode=1777,exec'), {
    destination: '/tmp',
    options: ['size=64m', 'mode=1777', 'exec'],
  })
})

test('parseTmpfs() refuses what could be something else', () => {
  for (const text of [
    '',
    'run',
    '/',
    '/../x',
    '/run:',
    '/run:size',
    '/run:size=x',
    '/run:mode=9',
    '/run:lowerdir=/',
    '/run:bind',
  ]) {
    assert.throws(() => parseTmpfs(text), { code: 'invalid_argument' }, text)
  }
})
