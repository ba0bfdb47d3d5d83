import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import type { Flags } from '../command.ts'
import { readProject } from './project.ts'

function directoryOf(t: TestContext, files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'shop-'))
  t.after(() => rmSync(directory, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  return directory
}

async function read(lists: Readonly<Record<string, readonly string[]>>, texts: Readonly<Record<string, string>> = {}) {
  const flags = {
    text: (name: string) => texts[name],
    list: (name: string) => lists[name] ?? [],
    is: () => false,
    number: () => undefined,
  } satisfies Flags
  const { text, ...rest } = await readProject(flags, Readable.from([]))
  return { ...rest, project: JSON.parse(text) }
}

const WEB = `services: {web: {image: "web:\${TAG:-none}", volumes: ["./data:/data"]}}\n`

test('files are merged, with the variables of .env, and paths below their directory', async (t) => {
  const over = 'services: {web: {environment: {A: "1"}}}\n'
  const directory = directoryOf(t, { 'compose.yaml': WEB, 'over.yaml': over, '.env': 'TAG=7\n' })
  const { project } = await read({ file: ['compose.yaml', 'over.yaml'].map((name) => join(directory, name)) })
  assert.equal(project.services.web.image, 'web:7')
  assert.deepEqual(project.services.web.environment, { A: '1' })
  assert.equal(project.services.web.volumes[0].source, join(directory, 'data'))
})

test('a file of variables that need not be there is none; any other must be, and says so', async (t) => {
  const fileOf = (required: boolean) =>
    `services: {web: {image: web, env_file: [{path: ./no, required: ${required}}]}}\n`
  const directory = directoryOf(t, { 'a.yaml': fileOf(false), 'b.yaml': fileOf(true) })
  const { project } = await read({ file: [join(directory, 'a.yaml')] })
  assert.equal(project.services.web.image, 'web')
  await assert.rejects(
    read({ file: [join(directory, 'b.yaml')] }),
    /b\.yaml, line 1: .*names the file .*no, which is not there/,
  )
})

test('the name is the one that is asked for, or that of the directory', async (t) => {
  const directory = directoryOf(t, { 'compose.yaml': WEB })
  const file = { file: [join(directory, 'compose.yaml')] }
  assert.equal((await read(file, { 'project-name': 'other' })).name, 'other')
  assert.match((await read(file)).name, /^shop-/)
})

test('a bottle file of the original is sent as it is', async (t) => {
  const text = 'bottle: {name: wp}\nservices: {web: {image: web}}\n'
  const directory = directoryOf(t, { 'bottle.yaml': text })
  const flags: Flags = {
    text: () => undefined,
    list: () => [join(directory, 'bottle.yaml')],
    is: () => false,
    number: () => undefined,
  }
  const { services, ...rest } = await readProject(flags, Readable.from([]))
  assert.deepEqual(rest, { text, name: 'wp', warnings: [] })
  assert.equal(services['web']!.image, 'web')
})
