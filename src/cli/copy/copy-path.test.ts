import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CliError } from '../errors.ts'
import { parseCopyPath, planCopy, renamed, sourceName } from './copy-path.ts'

test('parseCopyPath() tells paths of containers from those of the caller', () => {
  assert.deepEqual(parseCopyPath('web:/etc/hosts'), { container: 'web', path: '/etc/hosts' })
  assert.deepEqual(parseCopyPath('web:a:b'), { container: 'web', path: 'a:b' })
  for (const path of ['file', '/a:b', './a:b', '../a:b', '.', '-', 'dir/'])
    assert.deepEqual(parseCopyPath(path), { path })
  for (const text of ['web:', ':/x']) assert.throws(() => parseCopyPath(text), CliError)
})

test('planCopy() follows docker in every case', () => {
  const file = { name: 'f', isDirectory: false }
  const directory = { name: 'd', isDirectory: true }
  assert.deepEqual(planCopy(file, '/to', 'directory'), { directory: '/to' })
  assert.deepEqual(planCopy(directory, '/to/', 'directory'), { directory: '/to/' })
  assert.deepEqual(planCopy(file, '/to/x', 'absent'), { directory: '/to/', rename: 'x' })
  assert.deepEqual(planCopy(file, 'x', 'other'), { directory: '.', rename: 'x' })
  assert.deepEqual(planCopy(directory, '/to/x', 'absent'), { directory: '/to/', rename: 'x' })
  assert.throws(() => planCopy(directory, '/to/x', 'other'), /it is a file/)
  assert.throws(() => planCopy(file, '/to/x/', 'other'), /not a directory/)
  assert.throws(() => planCopy(file, '/to/x/', 'absent'), /There is no directory/)
  assert.throws(() => planCopy(directory, '/to/..', 'absent'), /There is no directory/)
})

test('sourceName() and renamed()', () => {
  assert.deepEqual(['a/b', 'a/b/', 'a/b/.', '.', '/', 'b'].map(sourceName), ['b', 'b', '.', '.', '.', 'b'])
  assert.equal(renamed('d/a/b', undefined), 'd/a/b')
  assert.equal(renamed('d/a/b', 'x'), 'x/a/b')
  assert.equal(renamed('./a/b', 'x'), 'x/a/b')
  assert.equal(renamed('./', 'x'), 'x')
  assert.equal(renamed('./', undefined), '')
  const word = fc.stringMatching(/^[a-z]{1,5}$/)
  fc.assert(
    fc.property(word, fc.array(word), word, (first, rest, rename) => {
      assert.equal(renamed([first, ...rest].join('/'), rename), [rename, ...rest].join('/'))
    }),
  )
})
