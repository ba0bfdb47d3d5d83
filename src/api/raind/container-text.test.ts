import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleMeta } from '../../../test/fixtures/pod-example.ts'
import { PLAIN_CONTAINER } from '../../../test/support/container-spec.ts'
import type { Container } from '../../model/container.ts'
import type { Sandbox } from '../../model/network.ts'
import { containerText } from './container-text.ts'
import { wireContainer } from './convert.ts'

const metadata = exampleMeta()
const container: Container = { metadata, spec: PLAIN_CONTAINER, status: { restartCount: 0 } }
const sandbox = (hostPort: number): Sandbox => ({
  metadata,
  spec: {
    hostname: 'web',
    attachments: [],
    ports: [{ hostIp: '0.0.0.0', hostPort, containerPort: 80, protocol: 'tcp' }],
  },
  status: { attempt: 0 },
})

test('the text is that of the container and of the sandbox that it has now', () => {
  const frozen = Object.freeze({ ...container })
  for (const one of [sandbox(1), sandbox(1), sandbox(2), undefined]) {
    for (let turn = 0; turn < 2; turn++) {
      assert.deepEqual(JSON.parse(containerText(frozen, one)), wireContainer(frozen, one))
    }
  }
})

test('of an object that can change no text is kept', () => {
  const loose = { ...container }
  const before = containerText(loose, undefined)
  loose.metadata = { ...metadata, name: 'other' }
  assert.notEqual(containerText(loose, undefined), before)
})
