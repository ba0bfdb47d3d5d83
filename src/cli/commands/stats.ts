import type { WireStats } from '../../api/raind/index.ts'
import { linesOf } from '../client.ts'
import type { Command, Terminal } from '../command.ts'
import { usageError } from '../errors.ts'
import { binaryBytes, bytes } from '../format.ts'
import { redraw } from '../redraw.ts'
import { table } from '../table.ts'
import { NDJSON } from './pull.ts'

const ORDERS: Readonly<Record<string, (a: WireStats, b: WireStats) => number>> = {
  name: (a, b) => (a.container_name < b.container_name ? -1 : 1),
  cpu: (a, b) => b.cpu_cores - a.cpu_cores,
  memory: (a, b) => b.memory_working_set_bytes - a.memory_working_set_bytes,
}

export const stats: Command = {
  names: ['container stats', 'stats'],
  summary: 'Show what containers use, all that run unless some are named; anew every second',
  usage: '[CONTAINER...]',
  flags: {
    'no-stream': { type: 'boolean', help: 'measure for a second, print once and end' },
    sort: { type: 'string', value: 'KEY', help: 'what comes first; keys: name (default), cpu, memory' },
  },
  async run({ client, terminal, flags, args, json }) {
    const sort = flags.text('sort') ?? 'name'
    const order = Object.hasOwn(ORDERS, sort) ? ORDERS[sort] : undefined
    if (order === undefined) throw usageError(`Cannot sort by "${sort}"`, `Keys: ${Object.keys(ORDERS).join(', ')}`)
    const once = flags.is('no-stream')
    const query = new URLSearchParams([['stream', 'true'], ...args.map((ref) => ['container', ref])])
    const answer = await client.stream('GET', `/v1/containers/stats?${query}`, { accept: NDJSON })
    const show = display(terminal, { json, once })
    let looks = 0
    for await (const line of linesOf(answer)) {
      // The first look measures from the start of each container, or from when somebody else looked.
      if (once && ++looks < 2) continue
      show((JSON.parse(line) as WireStats[]).toSorted(order))
      if (once) break
    }
    answer.destroy()
  },
}

/** On a terminal one table that changes; elsewhere, and as JSON, one after the other. */
function display({ stdout }: Terminal, { json, once }: { json: boolean; once: boolean }) {
  if (json) {
    return (all: readonly WireStats[]) => stdout.write(`${JSON.stringify(all, undefined, once ? 2 : undefined)}\n`)
  }
  let drawn = 0
  return (all: readonly WireStats[]) => {
    const text = statsTable(all)
    if (once || !stdout.isTTY) {
      stdout.write(text)
      return
    }
    const next = redraw(text, drawn, { columns: stdout.columns, rows: stdout.rows })
    drawn = next.lines
    stdout.write(next.text)
  }
}

/** docker's columns. Who has no process has no figures. */
export function statsTable(all: readonly WireStats[]): string {
  const rows = all.map((stats) => [stats.container_name, ...(stats.generated_ts === '' ? NO_FIGURES : figures(stats))])
  return table(['NAME', 'CPU %', 'MEM USAGE / LIMIT', 'MEM %', 'NET I/O', 'BLOCK I/O', 'PIDS'], rows)
}

const NO_FIGURES = ['--', '-- / --', '--', '-- / --', '-- / --', '--']

function figures(stats: WireStats): string[] {
  const { memory_working_set_bytes: used, memory_bound_bytes: bound } = stats
  const sum = (key: 'rx_bytes' | 'tx_bytes') => (stats.networks ?? []).reduce((all, link) => all + link[key], 0)
  return [
    percent(stats.cpu_cores),
    `${binaryBytes(used)} / ${binaryBytes(bound)}`,
    percent(bound === 0 ? 0 : used / bound),
    stats.networks === null ? '-- / --' : `${bytes(sum('rx_bytes'))} / ${bytes(sum('tx_bytes'))}`,
    `${bytes(stats.io_read_bytes)} / ${bytes(stats.io_write_bytes)}`,
    String(stats.pids_current),
  ]
}

/** Of one processor, as docker has it: two that are busy are 200 %. */
function percent(part: number): string {
  return `${(part * 100).toFixed(2)}%`
}
