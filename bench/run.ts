/**
 * Measures what the daemon promises, each as a ratio taken in one run, and prints the table. Needs root; works in
 * network and mount namespaces of its own, with the production bundle.
 *
 *     sudo npm run bench -- [NAME ...] [--scale 0.2] [--runtime crun|runc] [--dist DIR] [--json FILE]
 */
import { writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { messageOf } from '../src/lib/errors.ts'
import { mount } from '../src/linux/mount.ts'
import { runInOwnNamespaces } from '../test/support/namespace.ts'
import { benches } from './promises/index.ts'
import { bareNode } from './support/bare-node.ts'
import { openBundle } from './support/bundle.ts'
import { type Bench, type BenchOptions, isKept, type Row } from './support/promise.ts'
import { show } from './support/stats.ts'

runInOwnNamespaces(import.meta.filename)
// In memory, as it is where systemd is: what peers keep there is no disk's business.
mount('tmpfs', '/run', 'tmpfs', 0, 'mode=0755')
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    scale: { type: 'string', default: '1' },
    runtime: { type: 'string', default: 'auto' },
    dist: { type: 'string' },
    json: { type: 'string' },
  },
})
const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name))
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}. There are: ${benches.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
const runtime = values.runtime as BenchOptions['runtime']
using bundle = openBundle(values.dist)
const rows: Row[] = []
for (const bench of benches) {
  if (positionals.length > 0 && !positionals.includes(bench.name)) continue
  rows.push(...(await measure(bench, { ...bundle, runtime, scale: Number(values.scale) })))
}
const load = loadavg()[0]!.toFixed(1)
console.error(
  `load average ${load} on ${availableParallelism()} processors; node itself starts in ${show(await bareNode(10))}`,
)
printTable(rows)
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(rows, null, 2))

async function measure(bench: Bench, options: BenchOptions): Promise<readonly Row[]> {
  const begun = performance.now()
  try {
    const rows = await bench.run(options)
    for (const note of new Set(rows.map((row) => row.note))) console.error(`${bench.name}: ${note}`)
    console.error(`${bench.name}: took ${Math.round((performance.now() - begun) / 1000)} s`)
    return rows
  } catch (error) {
    console.error(`${bench.name} failed: ${messageOf(error)}`, error)
    process.exitCode = 1
    return []
  }
}

function printTable(rows: readonly Row[]): void {
  const number = (value: number, unit: Row['unit']) => `${value.toFixed(unit === 'x' ? 2 : 1)} ${unit}`
  const lines = rows.map((row) => [
    row.promise,
    number(row.value, row.unit),
    `${row.atLeast ? '>=' : '<='} ${number(row.target, row.unit)}`,
    isKept(row) ? 'ok' : 'MISSED',
  ])
  const table = [['promise', 'measured', 'target', 'ok'], ...lines]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((line) => line[column]!.length)))
  for (const line of table)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join(' | ')
        .trimEnd(),
    )
}
