import type { WireHistoryEntry } from '../../api/raind/index.ts'
import type { Command } from '../command.ts'
import { ago, bytes } from '../format.ts'
import { table } from '../table.ts'

export const tag: Command = {
  names: ['image tag', 'tag'],
  summary: 'Give an image another name',
  usage: 'IMAGE NAME',
  minArgs: 2,
  maxArgs: 2,
  async run({ client, terminal, args: [image, target], json }) {
    const data = await client.call('POST', '/v1/images/tag', { image, target })
    if (json) terminal.stdout.write(`${JSON.stringify(data)}\n`)
  },
}

export const history: Command = {
  names: ['image history', 'history'],
  summary: 'Show the steps that an image was made by',
  usage: 'IMAGE',
  flags: { 'no-trunc': { type: 'boolean', help: 'show commands in full' } },
  minArgs: 1,
  maxArgs: 1,
  async run({ client, terminal, args, flags, json }) {
    const path = `/v1/images/history?image=${encodeURIComponent(args[0]!)}`
    const steps = await client.call<WireHistoryEntry[]>('GET', path)
    if (json) {
      terminal.stdout.write(`${JSON.stringify(steps, undefined, 2)}\n`)
      return
    }
    const rows = steps.map(({ createdAt, createdBy, usedBytes, comment }) => [
      createdAt.startsWith('0001') ? 'unknown' : ago(Date.parse(createdAt)),
      flags.is('no-trunc') ? createdBy : shorten(createdBy),
      bytes(usedBytes),
      comment,
    ])
    terminal.stdout.write(table(['CREATED', 'CREATED BY', 'SIZE', 'COMMENT'], rows))
  },
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > 45 ? `${line.slice(0, 44)}…` : line
}
