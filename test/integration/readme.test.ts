import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { MS_BIND, mount, unmount } from '../../src/linux/mount.ts'
import { makeHome, projectRoot, startDaemon } from '../support/daemon.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

/** What installs, or needs a network: the tests of the whole machine run them. */
const NOT_HERE = /quickstart\.sh|test\.sh/

/** The indented lines of a document that are commands. */
function commandsOf(file: string): string[] {
  return readFileSync(join(projectRoot, file), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('    '))
    .map((line) => line.trim())
    .filter((command) => !NOT_HERE.test(command))
}

/** Puts `source` where the commands look for it, in this mount namespace. */
function standIn(source: string, target: string): Disposable {
  const missing: string[] = []
  for (let path = target; !existsSync(path); path = dirname(path)) missing.push(path)
  mkdirSync(target, { recursive: true })
  mount(source, target, null, MS_BIND, null)
  return {
    [Symbol.dispose]() {
      unmount(target)
      for (const path of missing) rmdirSync(path)
    },
  }
}

test('both READMEs show the same commands', () => {
  assert.ok(commandsOf('README.md').length > 10)
  assert.deepEqual(commandsOf('README.ja.md'), commandsOf('README.md'))
})

test('every command of the README works, one after the other', async () => {
  await using home = await makeHome()
  writeFileSync(home.config, `cgroupParent: ${home.cgroupParent}\n`)
  await using _daemon = await startDaemon(home, { listen: '127.0.0.1:7755' })
  using _run = standIn(home.run, '/run/condenser')
  using _certificates = standIn(home.certDir, '/etc/raind/cert')
  const script = [
    'set -e -o pipefail',
    'sudo() { [ "$1" != -E ] || shift; "$@"; }',
    // What was just started may not listen yet.
    'curl() { command curl --silent --show-error --retry 5 --retry-connrefused "$@"; }',
    'scripts/default-image.sh | bin/raind image load --name localhost/busybox',
    ...commandsOf('README.md').flatMap((command) => [`echo '$' ${JSON.stringify(command)}`, command]),
  ].join('\n')
  const output = execFileSync('bash', ['-c', script], {
    cwd: projectRoot,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  assert.match(output, /^hello$/m)
  assert.match(output, /It works/)
  assert.match(output, /running +0\.0\.0\.0:8081->80\/tcp +web/)
  assert.match(output, /Name:\s+database/)
  assert.match(output, /^test-rs-[a-z0-9]{5}$/m)
  assert.match(output, /^replicaset\.apps\/test-rs +3 +/m)
  assert.match(output, /^welcome to the shop$/m)
})
