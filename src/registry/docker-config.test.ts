import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { jsonLogger } from '../lib/log.ts'
import { dockerConfigAuth } from './docker-config.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

async function lookUp(content: string, registry: string) {
  const directory = await mkdtemp(join(tmpdir(), 'docker-config-'))
  const lines: string[] = []
  try {
    const file = join(directory, 'config.json')
    await writeFile(file, content)
    return {
      auth: await dockerConfigAuth(
        jsonLogger('warn', (line) => lines.push(line)),
        file,
        registry,
      ),
      log: lines.join(''),
    }
  } finally {
    await rm(directory, { recursive: true })
  }
}

test('credentials are found by host, whatever the key looks like', async () => {
  const auths = {
    'https://index.docker.io/v1/': { auth: base64('hub:a:b') },
    'ghcr.io': { username: 'plain', password: 'text' },
    'https://registry.example:5000/v2/': { auth: base64('') },
    'registry.example:5000': { auth: base64('user:pw\0') },
    'token.example': { auth: base64('<token>:'), identitytoken: 'refresh' },
    'bearer.example': { registrytoken: 'abc' },
    'empty.example': {},
  }
  const of = async (registry: string) => (await lookUp(JSON.stringify({ auths }), registry)).auth
  assert.deepEqual(await of('docker.io'), { username: 'hub', password: 'a:b' })
  assert.deepEqual(await of('ghcr.io'), { username: 'plain', password: 'text' })
  assert.deepEqual(await of('registry.example:5000'), { username: 'user', password: 'pw' })
  assert.deepEqual(await of('token.example'), { identityToken: 'refresh' })
  assert.deepEqual(await of('bearer.example'), { registryToken: 'abc' })
  assert.equal(await of('empty.example'), undefined)
  assert.equal(await of('other.example'), undefined)
})

test('a credential helper is not run, and this is said', async () => {
  const content = JSON.stringify({
    auths: { 'a.example': {} },
    credHelpers: { 'b.example': 'ecr-login' },
    credsStore: 'pass',
  })
  const b = await lookUp(content, 'b.example')
  assert.equal(b.auth, undefined)
  assert.match(b.log, /"helper":"ecr-login"/)
  assert.match((await lookUp(content, 'a.example')).log, /"helper":"pass"/)
})

test('a broken file is ignored with a warning that quotes nothing of it', async () => {
  const { auth, log } = await lookUp('{"auths": {"a": "c2VjcmV0"', 'a')
  assert.equal(auth, undefined)
  assert.match(log, /not valid JSON/)
  assert.doesNotMatch(log, /c2VjcmV0/)
  assert.equal((await lookUp('[]', 'a')).auth, undefined)
  assert.equal((await lookUp('{"auths":[1]}', 'a')).auth, undefined)
})

test('an absent file holds nothing', async () => {
  const lines: string[] = []
  const log = jsonLogger('warn', (line) => lines.push(line))
  assert.equal(await dockerConfigAuth(log, '/nowhere/config.json', 'docker.io'), undefined)
  assert.deepEqual(lines, [])
})
