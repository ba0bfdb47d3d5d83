import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mayGetCredentials } from './token-realms.ts'

test('credentials stay with their owner', () => {
  const rows: readonly [registry: string, realm: string, allowed: boolean][] = [
    ['registry-1.docker.io', 'auth.docker.io', true],
    ['registry.gitlab.com', 'gitlab.com', true],
    ['ghcr.io', 'ghcr.io', true],
    ['Registry.Example.com', 'auth.example.COM', true],
    ['registry.example.com', 'example.com.evil.net', false],
    ['registry.example.com', 'evilexample.com', false],
    ['registry.corp.co.uk', 'auth.corp.co.uk', true],
    ['registry.co.uk', 'evil.co.uk', false],
    ['mine.azurecr.io', 'other.azurecr.io', false],
    ['mine.azurecr.io', 'mine.azurecr.io', true],
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '11.0.0.1', false],
    ['[::1]', '[::2]', false],
    ['registry', 'auth', false],
  ]
  for (const [registry, realm, allowed] of rows) {
    assert.equal(mayGetCredentials(registry, realm), allowed, `${registry} to ${realm}`)
  }
  assert.equal(mayGetCredentials('registry.a.example', 'sso.other.example', ['SSO.other.example']), true)
})
