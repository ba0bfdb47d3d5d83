import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, describe, test } from 'node:test'
import { CliError } from '../errors.ts'
import { readManifestFiles } from './manifest-files.ts'

describe('readManifestFiles()', () => {
  const root = mkdtempSync(join(tmpdir(), 'manifests-'))
  after(() => rmSync(root, { recursive: true }))
  const put = (name: string, content: string | Uint8Array = name) => {
    writeFileSync(join(root, name), content)
    return join(root, name)
  }
  mkdirSync(join(root, 'dir/b.yaml.d/deep'), { recursive: true })
  mkdirSync(join(root, 'empty'))
  for (const name of ['dir/c.json', 'dir/a.yml', 'dir/b.yaml', 'dir/notes.md', 'dir/b.yaml.d/deep/x.yaml']) put(name)
  symlinkSync('../other', join(root, 'dir/link.yaml'))
  put('other')

  const read = async (paths: readonly string[], { recursive = false, stdin = '' } = {}) => {
    const files = await readManifestFiles(paths, { recursive, stdin: Readable.from([Buffer.from(stdin)]) })
    return files.map(({ name, text }) => [name.replace(`${root}/`, ''), text])
  }
  const refused = (paths: readonly string[], message: RegExp) =>
    assert.rejects(read(paths), (error) => error instanceof CliError && message.test(`${error.message} ${error.hint}`))

  test('a file may have any name; stdin is one of them', async () => {
    assert.deepEqual(await read([join(root, 'other'), '-'], { stdin: 'kind: Pod' }), [
      ['other', 'other'],
      ['standard input', 'kind: Pod'],
    ])
  })

  test('of a directory the manifests are taken, in the order of names', async () => {
    const names = (await read([join(root, 'dir')])).map(([name]) => name)
    assert.deepEqual(names, ['dir/a.yml', 'dir/b.yaml', 'dir/c.json', 'dir/link.yaml'])
    const all = (await read([join(root, 'dir')], { recursive: true })).map(([name]) => name)
    assert.deepEqual(all, ['dir/a.yml', 'dir/b.yaml', 'dir/b.yaml.d/deep/x.yaml', 'dir/c.json', 'dir/link.yaml'])
  })

  test('what cannot be read is named', async () => {
    await refused([join(root, 'gone.yaml')], /Cannot read .*gone\.yaml: it is not there/)
    await refused([join(root, 'empty')], /There is no manifest in .*empty.*-R/)
    await refused([put('latin', Uint8Array.of(0x6b, 0xe9))], /latin: it is not UTF-8/)
    await refused(['-', '-'], /stdin can be read once/)
    await refused(['https://example.com/a.yaml'], /curl -fsSL https:\/\/example\.com\/a\.yaml \| raind apply -f -/)
  })

  test('a byte order mark is none of the text', async () => {
    assert.deepEqual(await read([put('bom', '\uFEFFkind: Pod')]), [['bom', 'kind: Pod']])
  })
})
