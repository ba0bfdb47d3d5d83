import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exitCodeOfFailure, runtimeError, runtimeMessage } from './runtime-message.ts'

const RUNC =
  'time="2026-01-01T00:00:00Z" level=warning msg="something else"\n' +
  'time="2026-01-01T00:00:00Z" level=error msg="runc create failed: unable to start container process: exec: \\"nope\\": executable file not found in $PATH"\n'

test('the message is the runtime’s own, without its noise', () => {
  const cases: [string, string][] = [
    [
      'executable file `nope` not found in $PATH: No such file or directory\n',
      'executable file `nope` not found in $PATH: No such file or directory',
    ],
    [RUNC, 'exec: "nope": executable file not found in $PATH'],
    ['{"msg":"open executable: Permission denied","level":"error","time":"x"}\n', 'open executable: Permission denied'],
    ['exec failed: unable to start container process: exec: "x": permission denied', 'exec: "x": permission denied'],
    ['{not json', '{not json'],
    ['', ''],
  ]
  for (const [stderr, message] of cases) assert.equal(runtimeMessage(stderr), message)
})

test('a command that cannot run is the caller’s fault, a broken host is not', () => {
  const caller = [
    RUNC,
    'executable file `nope` not found in $PATH: No such file or directory',
    'open executable: Permission denied',
    'chdir `/bin/sh`: Not a directory',
    'runc create failed: unable to start container process: error during container init: mkdir /bin/sh: not a directory',
    "error stat'ing file `/nope`: No such file or directory",
    'mount `/srv` to `etc/passwd`: Not a directory',
    'runc create failed: unable to start container process: error during container init: error mounting "/srv" to rootfs at "/etc/passwd": mount /srv:/etc/passwd (via /proc/self/fd/6), flags: 0x5000: not a directory',
  ]
  for (const stderr of caller) assert.equal(runtimeError(stderr, {}).code, 'invalid_argument', stderr)
  for (const stderr of ['creating cgroup directory: Permission denied', '']) {
    assert.equal(runtimeError(stderr, {}).code, 'internal', stderr)
  }
})

test('the exit code of a command that could not run is the shells’', () => {
  assert.equal(exitCodeOfFailure('exec: "nope": executable file not found in $PATH'), 127)
  assert.equal(exitCodeOfFailure('exec: "/nope": stat /nope: no such file or directory'), 127)
  assert.equal(exitCodeOfFailure('open executable: Permission denied'), 126)
})
