import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { kubeFixture } from '../support/kube-fixture.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

/** Ends at once when it is asked to, unlike a program that is process 1 and knows no signals. */
const OBEYS = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1 & wait; done']

describe('how pods end', () => {
  const the = kubeFixture()
  const pod = (spec: object, metadata: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', ...metadata },
    spec: { terminationGracePeriodSeconds: 1, ...spec },
  })
  const container = (name: string, more: object = {}) => ({ name, image: the().image, command: OBEYS, ...more })

  /** Ready when it is about to do what it does: until then signals are lost on it. */
  const script = (name: string, text: string, more: object = {}) =>
    container(name, {
      command: ['sh', '-c', `${text} & touch /ready; while :; do wait; done`],
      readinessProbe: { exec: { command: ['test', '-e', '/ready'] } },
      ...more,
    })

  test('a grace period of ages is one: nothing is killed at once, and what ends by itself is gone', async () => {
    const directory = mkdtempSync(join(the().fixture.home.root, 'shared-'))
    const ages = { terminationGracePeriodSeconds: Number.MAX_SAFE_INTEGER, activeDeadlineSeconds: 2 ** 31 - 1 }
    const shared = { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] }
    const livenessProbe = { exec: { command: ['true'] }, periodSeconds: 2 ** 31 - 1, timeoutSeconds: 2 ** 31 - 1 }
    const slow = 'trap "sleep 1; echo well > /shared/end; exit 0" TERM; sleep 10000'
    await the().apply(
      pod({
        ...ages,
        volumes: [{ name: 'shared', hostPath: { path: directory } }],
        containers: [script('a', slow, { livenessProbe, ...shared })],
      }),
    )
    await the().untilReady('web')
    await the().delete('pod', 'web', 'wait=false')
    assert.equal((await the().get('pod', 'web')).metadata.deletionTimestamp, '9999-12-31T23:59:59Z')
    await the().delete('pod', 'web')
    assert.equal(readFileSync(join(directory, 'end'), 'utf8'), 'well\n')
    rmSync(directory, { recursive: true })
  })
})
