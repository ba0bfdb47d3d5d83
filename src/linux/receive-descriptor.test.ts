import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { closeFd, pipe } from './fd.ts'
import { fdStream } from './fd-stream.ts'
import { receiveDescriptor } from './receive-descriptor.ts'

const run = promisify(execFile)

async function inDirectory(body: (path: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp('/tmp/condenser-')
  try {
    await body(join(directory, 's'))
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** Sends the read end of a pipe that has `hello` in it. */
const SEND = `
import array, os, socket, sys
r, w = os.pipe()
os.write(w, b'hello'); os.close(w)
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
s.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [r]))])
`

test('a descriptor comes over, and the socket file goes', () =>
  inDirectory(async (path) => {
    using receiver = receiveDescriptor(path)
    await run('python3', ['-c', SEND, path])
    const fd = await receiver.received
    assert.equal(await text(fdStream(fd, { halfCloses: false })), 'hello')
    receiver[Symbol.dispose]()
    assert.equal(existsSync(path), false)
  }))

test('what has come is there at once, for who asks when nothing more will', () =>
  inDirectory(async (path) => {
    using receiver = receiveDescriptor(path)
    assert.equal(receiver.take(), undefined)
    await run('python3', ['-c', SEND, path])
    const fd = receiver.take() ?? (await receiver.received)
    closeFd(fd)
  }))

test('once it is disposed it takes nothing from those who have its numbers by then', () =>
  inDirectory(async (path) => {
    const receiver = receiveDescriptor(path)
    await run('python3', ['-c', SEND, path])
    closeFd(await receiver.received)
    receiver[Symbol.dispose]()
    const pipes = Array.from({ length: 8 }, () => pipe())
    assert.equal(receiver.take(), undefined)
    for (const { readEnd, writeEnd } of pipes) for (const fd of [readEnd, writeEnd]) closeFd(fd)
    const server = createServer((socket) => socket.pipe(socket)).listen(path)
    await once(server, 'listening')
    const answers = Array.from({ length: 8 }, async (_, number) => {
      const client = connect(path)
      client.end(`mine ${number}`)
      assert.equal(receiver.take(), undefined)
      assert.equal(await text(client), `mine ${number}`)
    })
    await Promise.all(answers)
    server.close()
  }))
