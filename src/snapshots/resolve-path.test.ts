import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cleanPath, isWithin, type PathNode, resolveDirectory } from './resolve-path.ts'

/** A tree of directories (null) and symlinks. */
function lookupIn(tree: Readonly<Record<string, string | null>>): (path: string) => PathNode {
  return (path) => {
    const node = tree[path]
    if (node === undefined) return { kind: 'absent' }
    if (node === null) return { kind: 'directory' }
    return node === 'file:' ? { kind: 'other' } : { kind: 'symlink', target: node }
  }
}

test('cleanPath() makes paths relative to the root', () => {
  for (const [path, clean] of [
    ['a/b', 'a/b'],
    ['./a/b/', 'a/b'],
    ['/a//b/./c', 'a/b/c'],
    ['a/x/../b', 'a/b'],
    ['./', ''],
    ['.', ''],
    ['', ''],
    ['/', ''],
    ['..a/b..', '..a/b..'],
    ['...', '...'],
  ] as const) {
    assert.equal(cleanPath(path), clean, path)
  }
  for (const path of ['..', '../a', '/../a', 'a/../../b', './..']) {
    assert.throws(() => cleanPath(path), { code: 'invalid_argument' }, path)
  }
})

test('cleanPath() is idempotent and leaves no special name', () => {
  const names = fc.constantFrom('a', 'b', '.', '..', '', '...')
  fc.assert(
    fc.property(fc.array(names), (parts) => {
      let clean: string
      try {
        clean = cleanPath(parts.join('/'))
      } catch {
        return
      }
      assert.equal(cleanPath(clean), clean)
      if (clean !== '') for (const name of clean.split('/')) assert.ok(!['', '.', '..'].includes(name))
    }),
  )
})

test('resolveDirectory() follows symlinks inside the root', () => {
  const lookup = lookupIn({
    usr: null,
    'usr/lib': null,
    lib: 'usr/lib',
    abs: '/lib/x',
    up: '../../../usr',
    'usr/self': '.',
  })
  assert.equal(resolveDirectory('lib/a', lookup), 'usr/lib/a')
  assert.equal(resolveDirectory('abs/b', lookup), 'usr/lib/x/b')
  assert.equal(resolveDirectory('up/lib', lookup), 'usr/lib')
  assert.equal(resolveDirectory('usr/self/lib', lookup), 'usr/lib')
  assert.equal(resolveDirectory('new/dir', lookup), 'new/dir')
  assert.equal(resolveDirectory('', lookup), '')
})

test('resolveDirectory() refuses loops and files', () => {
  const lookup = lookupIn({ a: 'b', b: 'a', f: 'file:', deep: 'deep/x' })
  for (const path of ['a', 'f/x', 'deep'])
    assert.throws(() => resolveDirectory(path, lookup), { code: 'invalid_argument' })
})

test('resolveDirectory() never leads out, whatever the symlinks', () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const path = fc
    .array(fc.oneof(name, fc.constantFrom('..', '.', '')), { maxLength: 6 })
    .map((parts) => parts.join('/'))
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
        path,
      ),
      path,
      (links, start) => {
        let resolved: string
        try {
          resolved = resolveDirectory(start, lookupIn(links))
        } catch {
          return
        }
        if (resolved !== '') for (const part of resolved.split('/')) assert.match(part, /^[abc]$/)
        // Resolved means that nothing is left to follow.
        assert.equal(resolveDirectory(resolved, lookupIn(links)), resolved)
      },
    ),
  )
})

test('isWithin()', () => {
  assert.ok(isWithin('a/b', 'a') && isWithin('a', 'a') && isWithin('x', ''))
  assert.ok(!isWithin('ab', 'a') && !isWithin('', 'a'))
})
