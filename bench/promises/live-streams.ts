import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { fdStream } from '../../src/linux/fd-stream.ts'
import { setNonBlocking } from '../../src/linux/pty.ts'
import { receiveDescriptor } from '../../src/linux/receive-descriptor.ts'
import type { DaemonFixture } from '../../test/support/daemon-fixture.ts'
import { openFloor } from '../support/floor.ts'
import { create, remove, start, startHost } from '../support/host.ts'
import type { Bench, Row } from '../support/promise.ts'
import { show, summary, timed } from '../support/stats.ts'

const MEBIBYTE = 1024 * 1024

/** From the request of an exec with a terminal to the first byte that it writes. */
export const execTty: Bench = {
  name: 'exec-tty',
  async run(options) {
    await using host = await startHost(options)
    await using floor = await openFloor(host)
    const { id, fullId, bundle } = floor.model
    const config = JSON.parse(await readFile(join(bundle, 'config.json'), 'utf8'))
    const processFile = join(bundle, 'bench-tty.json')
    await writeFile(processFile, JSON.stringify({ ...config.process, args: ['echo', 'x'], terminal: true }))
    const [ours, bare]: number[][] = [[], []]
    for (let index = 0; index < 100 * options.scale; index++) {
      bare!.push(await timed(() => bareFirstByte(host, fullId, processFile, floor.exec)))
      ours!.push(await timed(() => firstByte(host, id)))
    }
    const [us, bottom] = [summary(ours!), summary(bare!)]
    const note = `${show(us)}, bare exec with a terminal ${show(bottom)}`
    return [{ promise: 'exec with tty, first byte, p50', value: us.p50 / bottom.p50, target: 1.6, unit: 'x', note }]
  },
}

async function bareFirstByte(
  { home }: DaemonFixture,
  fullId: string,
  processFile: string,
  exec: (fullId: string, processFile: string, options: readonly string[]) => Promise<void>,
): Promise<void> {
  const path = join(home.run, 'bench.sock')
  using receiver = receiveDescriptor(path)
  await exec(fullId, processFile, ['--detach', '--console-socket', path])
  const master = await receiver.received
  setNonBlocking(master)
  const terminal = fdStream(master, { halfCloses: false })
  await once(terminal, 'data')
  terminal.destroy()
}

async function firstByte({ daemon, home }: DaemonFixture, id: string): Promise<void> {
  const { json } = await daemon.api.post(`/v1/containers/${id}/exec`, {
    command: ['echo', 'x'],
    tty: true,
    start: true,
  })
  const socket = await openStreams(home.run, `/v1/execs/${json.data.execId}/streams`)
  await once(socket, 'data')
  socket.destroy()
}

/** What an attached client gets of a flood, beside what conmon writes to its log when nobody is attached. */
export const attachFlood: Bench = {
  name: 'attach-flood',
  async run(options) {
    await using host = await startHost(options)
    const bytes = Math.ceil(400 * options.scale) * MEBIBYTE
    const rates = { alone: [] as number[], attached: [] as number[] }
    let [before, after] = [0, 0]
    for (let round = 0; round < 3; round++) {
      rates.alone.push(bytes / (await flood(host, bytes, false)).ms)
      before = await residentBytes(host)
      rates.attached.push(bytes / (await flood(host, bytes, true)).ms)
      after = await residentBytes(host)
    }
    const [alone, attached] = [Math.max(...rates.alone), Math.max(...rates.attached)]
    const growth = (after - before) / MEBIBYTE
    const note = `attached ${mbs(attached)}, conmon alone ${mbs(alone)}, RSS ${growth >= 0 ? '+' : ''}${growth.toFixed(1)} MB`
    return [
      {
        promise: 'attach of a flood, of conmon alone',
        value: attached / alone,
        target: 0.6,
        atLeast: true,
        unit: 'x',
        note,
      },
    ]
  },
}

/** Lines, as a program writes them: conmon looks for their ends. */
async function flood(host: DaemonFixture, bytes: number, attached: boolean): Promise<{ ms: number }> {
  const line = 'x'.repeat(79)
  const id = await create(host, { command: ['sh', '-c', `yes ${line} | head -c ${bytes}`] })
  const path = `/v1/containers/${id}/streams?wait=true`
  const socket = attached ? await openStreams(host.home.run, path) : undefined
  const counted = socket && count(socket, bytes)
  const ms = await timed(async () => {
    await start(host, id)
    await host.daemon.api.post(`/v1/containers/${id}/actions/wait`)
    await counted
  })
  await remove(host, id)
  return { ms }
}

/** What comes out of an exec over the socket, beside the same through a pipe. */
export const execFlood: Bench = {
  name: 'exec-flood',
  async run(options) {
    await using host = await startHost(options)
    const id = await create(host)
    await start(host, id)
    const bytes = Math.ceil(2048 * options.scale) * MEBIBYTE
    const rates = { pipe: [] as number[], exec: [] as number[] }
    const before = await residentBytes(host)
    for (let round = 0; round < 3; round++) {
      rates.pipe.push(bytes / (await timed(() => throughPipe(bytes))))
      rates.exec.push(bytes / (await timed(() => throughExec(host, id, bytes))))
    }
    const growth = ((await residentBytes(host)) - before) / MEBIBYTE
    const [pipe, exec] = [Math.max(...rates.pipe), Math.max(...rates.exec)]
    const note = `exec ${mbs(exec)}, cat | cat ${mbs(pipe)}, RSS ${growth >= 0 ? '+' : ''}${growth.toFixed(1)} MB`
    return [
      {
        promise: 'exec over the socket, of cat | cat',
        value: exec / pipe,
        target: 0.25,
        atLeast: true,
        unit: 'x',
        note,
      },
    ]
  },
}

async function throughPipe(bytes: number): Promise<void> {
  const child = spawn('sh', ['-c', `busybox head -c ${bytes} /dev/zero | cat | cat > /dev/null`], { stdio: 'ignore' })
  await once(child, 'exit')
}

async function throughExec({ daemon, home }: DaemonFixture, id: string, bytes: number): Promise<void> {
  const command = ['sh', '-c', `head -c ${bytes} /dev/zero | cat`]
  const { json } = await daemon.api.post(`/v1/containers/${id}/exec`, { command })
  await count(await openStreams(home.run, `/v1/execs/${json.data.execId}/streams`), bytes)
}

/** How much slower a container writes when 200 follow its log. */
export const logFollowers: Bench = {
  name: 'log-followers',
  async run(options) {
    await using host = await startHost(options)
    const bytes = Math.ceil(100 * options.scale) * MEBIBYTE
    const count = Math.ceil(200 * options.scale)
    const rows: Row[] = []
    const times = { alone: [] as number[], followed: [] as number[] }
    for (let round = 0; round < 3; round++) {
      times.alone.push(await writing(host, bytes, 0))
      times.followed.push(await writing(host, bytes, count))
    }
    const [alone, followed] = [Math.min(...times.alone), Math.min(...times.followed)]
    const note = `followed by ${count} ${Math.round(followed)} ms, alone ${Math.round(alone)} ms for ${bytes / MEBIBYTE} MiB`
    rows.push({
      promise: `${count} followers of a log, the writer`,
      value: followed / alone,
      target: 1.1,
      unit: 'x',
      note,
    })
    return rows
  },
}

/** Milliseconds from the first line to the end of the writer. */
async function writing(host: DaemonFixture, bytes: number, followers: number): Promise<number> {
  const script = `while [ ! -e /go ]; do sleep 0.01; done; yes ${'x'.repeat(79)} | head -c ${bytes}`
  const id = await create(host, { command: ['sh', '-c', script] })
  await start(host, id)
  const path = `/v1/containers/${id}/log?follow=true&timestamps=false`
  const sockets = await Promise.all(Array.from({ length: followers }, () => openLog(host, path)))
  const ms = await timed(async () => {
    await host.daemon.api.post(`/v1/containers/${id}/actions/exec`, { command: ['touch', '/go'] })
    await host.daemon.api.post(`/v1/containers/${id}/actions/wait`)
  })
  for (const socket of sockets) socket.destroy()
  await remove(host, id)
  return ms
}

async function openLog({ home }: DaemonFixture, path: string): Promise<{ destroy(): void }> {
  const outgoing = request({ socketPath: join(home.run, 'condenser.sock'), path, agent: false })
  outgoing.end()
  const [answer] = await once(outgoing, 'response')
  answer.on('error', () => {}).resume()
  outgoing.on('error', () => {})
  return outgoing
}

/** A WebSocket whose frames nobody reads apart: the client must cost little. */
async function openStreams(run: string, path: string): Promise<Socket> {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }
  const outgoing = request({ socketPath: join(run, 'condenser.sock'), path, headers, agent: false })
  outgoing.end()
  const [, socket, head] = (await once(outgoing, 'upgrade')) as [unknown, Socket, Buffer]
  if (head.length > 0) socket.unshift(head)
  return socket
}

/** Until all has come; the farewell, which this client does not answer, is no part of it. */
async function count(socket: Socket, wanted: number): Promise<void> {
  let bytes = 0
  for await (const chunk of socket) {
    bytes += (chunk as Buffer).length
    if (bytes >= wanted) return
  }
  throw new Error(`${bytes} of ${wanted} bytes came`)
}

async function residentBytes({ daemon }: DaemonFixture): Promise<number> {
  const status = await readFile(`/proc/${daemon.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) * 1024
}

function mbs(bytesPerMs: number): string {
  return `${Math.round(bytesPerMs / 1000)} MB/s`
}
