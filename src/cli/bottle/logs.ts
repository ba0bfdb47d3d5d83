import { once } from 'node:events'
import type { WireBottle } from '../../api/raind/index.ts'
import { FRAME, FrameReader } from '../../lib/frames.ts'
import type { Invocation, Terminal } from '../command.ts'
import { settle, usageError } from '../errors.ts'
import { FRAMES, logQuery } from '../log-query.ts'
import { bottleOf, pathOf } from './target.ts'

/** cyan, yellow, green, magenta, blue, and their bright ones */
const COLOURS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94]

/** The logs of all its containers, line by line, each with the name of its service before it. Resolves with the exit code. */
export async function printLogs(invocation: Invocation): Promise<number> {
  const { client, flags, args, terminal } = invocation
  const { bottle } = await client.call<{ readonly bottle: WireBottle }>('GET', pathOf(await bottleOf(invocation)))
  const wanted = args.slice(1)
  const unknown = wanted.find((name) => !Object.hasOwn(bottle.services, name))
  if (unknown !== undefined) {
    throw usageError(
      `Bottle ${bottle.bottleName} has no service ${unknown}: it has ${Object.keys(bottle.services).join(', ')}`,
    )
  }
  const members = bottle.members.filter(({ service }) => wanted.length === 0 || wanted.includes(service))
  const names = members.map(({ service, number }) => `${service}-${number}`)
  const width = Math.max(...names.map((name) => name.length))
  const isColoured = terminal.stdout.isTTY && !flags.is('no-color')
  const query = logQuery(flags)
  const errors: Error[] = []
  const print = async (index: number) => {
    const name = `${names[index]!.padEnd(width)} | `
    const colour = COLOURS[index % COLOURS.length]
    const prefix = isColoured ? `\u001b[${colour}m${name}\u001b[0m` : name
    try {
      const path = `/v1/containers/${members[index]!.container.containerId}/log?${query}`
      await printLines(await client.stream('GET', path, { accept: FRAMES }), terminal, prefix)
    } catch (error) {
      errors.push(error as Error)
    }
  }
  if (flags.is('follow')) await Promise.all(members.keys().map(print))
  else for (const index of members.keys()) await print(index)
  return settle(errors, terminal)
}

/** Whole lines: those of several containers must not mix. */
async function printLines(frames: NodeJS.ReadableStream, { stdout, stderr }: Terminal, prefix: string): Promise<void> {
  const reader = new FrameReader(FRAME.stdout)
  const rests = new Map<number, string>()
  const write = async (type: number, lines: readonly string[]) => {
    if (lines.length === 0) return
    const out = type === FRAME.stderr ? stderr : stdout
    if (!out.write(lines.map((line) => `${prefix}${line}\n`).join(''))) await once(out, 'drain')
  }
  for await (const bytes of frames) {
    for (const { type, payload } of reader.push(bytes as Buffer)) {
      const lines = `${rests.get(type) ?? ''}${payload}`.split('\n')
      rests.set(type, lines.pop()!)
      await write(type, lines)
    }
  }
  for (const [type, rest] of rests) if (rest !== '') await write(type, [rest])
}
