import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { samplePod } from '../../../test/support/kube-samples.ts'
import type { Client } from '../client.ts'
import { parseCommandLine, type Terminal } from '../command.ts'
import { CliError } from '../errors.ts'
import { askContainer } from './ask-container.ts'
import { exec } from './exec.ts'
import { logs } from './logs.ts'

const absent = (message: string) => new CliError(message, undefined, { status: 404 })

/** A daemon with the container `db`, and the pod `web` of which `c0ffee` is the container. */
const client = {
  call: async (_method: string, path: string) => {
    if (path === '/v1/objects/Pod/web?namespace=default') return samplePod()
    throw absent(`pod not found: ${path}`)
  },
} as unknown as Client
const terminal = { stderr: new Writable({ write: (_chunk, _encoding, done) => done() }) } as unknown as Terminal

async function pathOf(command: typeof exec, ...words: string[]): Promise<string> {
  const { flags, args } = parseCommandLine(command, words)
  const ask = async (path: string) => {
    if (!['/v1/containers/db', '/v1/containers/c0ffee'].includes(path)) throw absent(`No such container: ${path}`)
    return path
  }
  const { path, answer } = await askContainer({ client, terminal, flags, args, json: false }, args[0]!, ask)
  assert.equal(path, answer)
  return path
}

test('a name is a container’s, or a pod’s if there is no such container', async () => {
  assert.equal(await pathOf(exec, 'db', 'sh'), '/v1/containers/db')
  assert.equal(await pathOf(exec, 'web', 'sh'), '/v1/containers/c0ffee')
  await assert.rejects(pathOf(exec, 'nobody', 'sh'), /^CliError: No such container: \/v1\/containers\/nobody$/)
})

test('what can only be a pod is one', async () => {
  assert.equal(await pathOf(exec, 'pod/web', 'sh'), '/v1/containers/c0ffee')
  assert.equal(await pathOf(exec, 'po/web', '-c', 'app', '--', 'sh'), '/v1/containers/c0ffee')
  await assert.rejects(pathOf(exec, '-n', 'team', 'db', 'sh'), /pod not found: .*\/Pod\/db\?namespace=team/)
  await assert.rejects(pathOf(exec, '-c', 'app', 'db', 'sh'), /pod not found/)
  await assert.rejects(pathOf(logs, '-p', 'db'), /pod not found/)
  await assert.rejects(pathOf(logs, '-p', 'web'), /no previous container/)
  await assert.rejects(pathOf(exec, 'rs/web', 'sh'), /neither a container nor a pod/)
})
