/** `npm run torture -- --minutes 20 --seed 7`: prints what was done, and fails if anything did not hold. */
import { parseArgs } from 'node:util'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { torture } from './torture.ts'

runInOwnNamespaces(import.meta.filename)

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    clients: { type: 'string', default: '8' },
  },
})
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
console.log(`seed ${seed}`)
const summary = await torture({ seed, seconds: Number(values.minutes) * 60, clients: Number(values.clients) })
console.log(JSON.stringify(summary, undefined, 2))
process.exitCode = summary.faults.length === 0 ? 0 : 1
