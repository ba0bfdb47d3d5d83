import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { StatusError } from '../lib/errors.ts'
import {
  formatImageReference,
  type ImageReference,
  parseImageReference,
  parseRegistry,
  wireNames,
} from './reference.ts'

const DIGEST = `sha256:${'a1'.repeat(32)}`

const alphanumeric = fc.stringMatching(/^[a-z0-9]{1,8}$/)
const component = fc
  .tuple(alphanumeric, fc.array(fc.tuple(fc.constantFrom('.', '_', '__', '-', '---'), alphanumeric), { maxLength: 3 }))
  .map(([first, rest]) => first + rest.flat().join(''))
const path = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/).filter((text) => text.slice(2, 4) !== '--')
const port = fc.integer({ min: 1, max: 65_535 }).map((number) => `:${number}`)
const registry = fc.oneof(
  fc.constantFrom('localhost', 'localhost:5000', '127.0.0.1:5000', '[::1]:5000', 'ghcr.io', 'docker.io'),
  fc.tuple(label, port).map((parts) => parts.join('')),
  fc.tuple(label, label, fc.option(port, { nil: '' })).map(([a, b, c]) => `${a}.${b}${c}`),
)
const tag = fc.stringMatching(/^\w[\w.-]{0,127}$/)
const digest = fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}`)
const suffix = fc.oneof(
  tag.map((text) => `:${text}`),
  digest.map((text) => `@${text}`),
  fc.tuple(tag, digest).map(([text, hex]) => `:${text}@${hex}`),
)
const reference = fc
  .tuple(registry, path, suffix)
  .map(([host, name, rest]) => `${host}/${host === 'docker.io' ? 'own/' : ''}${name}${rest}`)

test('what is in full is its own spelling', () => {
  fc.assert(
    fc.property(reference, (text) => {
      assert.equal(formatImageReference(parseImageReference(text)), text)
    }),
  )
})

test('what is accepted comes back from its full spelling; what is not throws a StatusError', () => {
  const near = fc.oneof(
    reference,
    path,
    fc.string({ maxLength: 100 }),
    fc.stringMatching(/^[a-zA-Z0-9.:@/_[\]-]{0,80}$/),
    fc.tuple(reference, fc.nat(), fc.string({ maxLength: 2 })).map(([text, at, odd]) => {
      const position = at % text.length
      return text.slice(0, position) + odd + text.slice(position + 1)
    }),
  )
  fc.assert(
    fc.property(near, (text) => {
      let parsed: ImageReference
      try {
        parsed = parseImageReference(text)
      } catch (error) {
        assert.ok(error instanceof StatusError && error.code === 'invalid_argument', String(error))
        return
      }
      assert.deepEqual(parseImageReference(formatImageReference(parsed)), parsed)
      assert.ok(URL.canParse(`https://${parsed.registry}/v2/${parsed.path}`))
    }),
    { numRuns: 2000 },
  )
})

test('short names are completed as Docker does', () => {
  const table: Readonly<Record<string, string>> = {
    alpine: 'docker.io/library/alpine:latest',
    'alpine:3.20': 'docker.io/library/alpine:3.20',
    'user/app': 'docker.io/user/app:latest',
    'docker.io/alpine': 'docker.io/library/alpine:latest',
    'index.docker.io/alpine:1': 'docker.io/library/alpine:1',
    'registry-1.docker.io/user/app': 'docker.io/user/app:latest',
    'localhost/x': 'localhost/x:latest',
    'localhost:5000/x:1': 'localhost:5000/x:1',
    'host:80/x': 'host:80/x:latest',
    'GHCR.io/a/b': 'ghcr.io/a/b:latest',
    [`alpine@${DIGEST}`]: `docker.io/library/alpine@${DIGEST}`,
    [`alpine:3@${DIGEST}`]: `docker.io/library/alpine:3@${DIGEST}`,
    'a/b/c/d': 'docker.io/a/b/c/d:latest',
    '[::1]:5000/x': '[::1]:5000/x:latest',
  }
  for (const [text, full] of Object.entries(table)) assert.equal(formatImageReference(parseImageReference(text)), full)
})

test('what is wrong is named', () => {
  const table: Readonly<Record<string, RegExp>> = {
    '': /empty/,
    Alpine: /lower case/,
    'Foo/bar': /lower case/,
    'alpine:': /tag ""/,
    'alpine:a b': /tag "a b"/,
    [`alpine:${'x'.repeat(129)}`]: /tag/,
    'alpine@sha256:abc': /digest/,
    'alpine@sha512:abc': /digest/,
    [`alpine@${DIGEST.toUpperCase()}`]: /digest/,
    'localhost:70000/x': /host name and port/,
    'host..x/y': /host name and port/,
    'a.b:c/x': /host name and port/,
    '-a.b/x': /host name and port/,
    '1.2.3.4.5/x': /host name and port/,
    'user@host.example/x': /digest/,
    'a//b': /repository name/,
    '/a': /repository name/,
    'a/': /repository name/,
    'a..b': /repository name/,
    a___b: /repository name/,
    'host.example/../x': /repository name/,
    ['f'.repeat(64)]: /id/,
    ['x'.repeat(800)]: /longer/,
    [`a/${'x'.repeat(254)}`]: /longer/,
    'https://ghcr.io/a': /./,
  }
  for (const [text, message] of Object.entries(table)) {
    assert.throws(() => parseImageReference(text), { name: 'StatusError', code: 'invalid_argument', message })
  }
})

test('the wire shows docker.io without its name, and the digest before the tag', () => {
  const names = (text: string) => wireNames(parseImageReference(text))
  assert.deepEqual(names('alpine'), { repository: 'library/alpine', reference: 'latest' })
  assert.deepEqual(names('localhost:5000/app:1'), { repository: 'localhost:5000/app', reference: '1' })
  assert.deepEqual(names(`alpine:3@${DIGEST}`), { repository: 'library/alpine', reference: DIGEST })
})

test('a registry by itself', () => {
  const rows = [
    ['docker.io', 'docker.io'],
    ['https://index.docker.io/v1/', 'docker.io'],
    ['Example.com:5000', 'example.com:5000'],
    ['http://localhost/', 'localhost'],
    ['[::1]:5000', '[::1]:5000'],
  ] as const
  for (const [text, registry] of rows) assert.equal(parseRegistry(text), registry)
  for (const text of ['', 'team', 'a b.c', 'user@host.example', 'host.example:99999', 'host.example?x', '../x.y']) {
    assert.throws(() => parseRegistry(text), StatusError, text)
  }
})
