import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

/** What each module may import; of `open` shelves any file, of the others the front door (index.ts) only. */
const OPEN = ['lib', 'model', 'linux', 'api/http']
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  linux: ['lib'],
  model: ['lib'],
  // One file of linux: fdatasync off the main thread.
  store: ['lib', 'model', 'linux/sync.ts'],
  content: ['lib', 'model', 'linux'],
  registry: ['lib', 'model'],
  snapshots: ['lib', 'model', 'linux'],
  runtime: ['lib', 'model', 'linux'],
  network: ['lib', 'model', 'linux'],
  dns: ['lib', 'model', 'linux'],
  images: ['lib', 'model', 'store', 'content', 'registry', 'snapshots'],
  containers: ['lib', 'model', 'store', 'images', 'snapshots', 'runtime', 'network', 'dns'],
  resources: ['lib', 'model', 'store'],
  compose: ['lib', 'model'],
  bottles: ['lib', 'model', 'store', 'compose', 'images', 'containers'],
  controllers: ['lib', 'model', 'store', 'images', 'containers', 'network', 'dns', 'resources'],
  'api/http': ['lib', 'model'],
  'api/tls': ['lib', 'linux', 'api/http'],
  'api/metrics': ['lib', 'model', 'store', 'images', 'containers', 'api/http'],
  'api/raind': ['lib', 'model', 'store', 'images', 'containers', 'network', 'resources', 'bottles', 'api/http'],
  daemon: ['*'],
  cli: ['lib', 'compose', 'api/raind'],
}
const MODULES = Object.keys(MAY_IMPORT)
const SOURCE = join(import.meta.dirname, '../src')

test('imports only go down, and through front doors', () => {
  const broken = globSync('**/*.ts', { cwd: SOURCE }).flatMap((file) =>
    importsOf(file).flatMap((imported) => {
      const fault = faultOf(file, imported)
      return fault === undefined ? [] : [`${file} imports ${imported}: ${fault}`]
    }),
  )
  assert.deepEqual(broken, [])
})

/** Each takes ms that every command would wait for: what needs one asks `process.getBuiltinModule` for it at its use. */
const SLOW =
  /^import (?!type ).*'node:(?:child_process|crypto|fs\/promises|http|https|os|readline|stream\/promises|tls|zlib)/m

test('the client starts without what only some commands need', () => {
  const files = globSync('cli/**/*.ts', { cwd: SOURCE }).filter((file) => !file.endsWith('.test.ts'))
  const slow = files.filter((file) => SLOW.test(readFileSync(join(SOURCE, file), 'utf8')))
  assert.deepEqual(slow, [])
})

function importsOf(file: string): string[] {
  const source = readFileSync(join(SOURCE, file), 'utf8')
  return [...source.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]!)
}

function faultOf(file: string, imported: string): string | undefined {
  if (imported === 'koffi') return file === 'linux/libc.ts' ? undefined : 'only linux/libc.ts opens that door'
  if (!imported.startsWith('.')) return undefined
  const target = relative(SOURCE, join(SOURCE, dirname(file), imported))
  if (file.endsWith('.test.ts') && target.startsWith('../test/')) return undefined
  const from = moduleOf(file)
  const to = moduleOf(target)
  if (from === undefined || to === undefined) return 'not in a module of the table'
  if (from === to) return undefined
  const allowed = MAY_IMPORT[from]!
  if (!['*', to, target].some((entry) => allowed.includes(entry))) return `${from} may not import ${to}`
  return OPEN.includes(to) || target === `${to}/index.ts` ? undefined : `only the front door, ${to}/index.ts`
}

function moduleOf(path: string): string | undefined {
  return MODULES.find((module) => path.startsWith(`${module}/`))
}
