import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from '../../lib/errors.ts'
import { errorReply } from './errors.ts'
import { parseRegistryAuth } from './registry-auth.ts'

test('errorReply() puts a failure in the envelope', () => {
  const { status, headers, body } = errorReply(new StatusError('not_found', 'No such container: "x"'), 'r1')
  assert.equal(status, 404)
  assert.deepEqual(headers, { 'content-type': 'application/json' })
  assert.equal(body, '{"status":"fail","message":"No such container: \\"x\\"","code":"not_found"}\n')
})

test('errorReply() names the request instead of what is internal', () => {
  const { status, body } = errorReply(new StatusError('internal', '/secret/path broke'), 'r1')
  assert.equal(status, 500)
  assert.doesNotMatch(String(body), /secret/)
  assert.match(String(body), /under request r1/)
})

test('parseRegistryAuth() reads the header of docker clients', () => {
  const header = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  assert.deepEqual(parseRegistryAuth(header({ username: 'u', password: 'p', serveraddress: 'x' })), {
    username: 'u',
    password: 'p',
  })
  assert.deepEqual(parseRegistryAuth(header({ identitytoken: 't', registrytoken: 'r' })), {
    identityToken: 't',
    registryToken: 'r',
  })
  assert.deepEqual(parseRegistryAuth(header({})), {})
  for (const bad of ['', '!!', header(5), header({ user: 'x' })]) {
    assert.throws(() => parseRegistryAuth(bad), { code: 'invalid_argument' })
  }
})
