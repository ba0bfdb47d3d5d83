import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { linkCounters, parseNetDev } from './net-dev.ts'

const HEAD = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
`

test('links are told by their lines, also where a number follows the colon at once, or a name has one itself', () => {
  const lines = `    lo:       1       2    3    4    5     6          7         8       9       10   11   12   13    14      15         16
  eth0:123456789 1 0 0 0 0 0 0 5 6 7 8 0 0 0 0
eth0:1: 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1
cut: 1 2 3`
  const [lo, eth0, alias, ...rest] = parseNetDev(HEAD + lines)
  assert.deepEqual(lo, {
    name: 'lo',
    rxBytes: 1,
    rxPackets: 2,
    rxErrors: 3,
    rxDropped: 4,
    txBytes: 9,
    txPackets: 10,
    txErrors: 11,
    txDropped: 12,
  })
  assert.deepEqual(
    [eth0!.name, eth0!.rxBytes, eth0!.txDropped, alias!.name, rest],
    ['eth0', 123456789, 8, 'eth0:1', []],
  )
})

test('links of any name are found again, and what is no line of one is left out', () => {
  const name = fc.string({ minLength: 1, maxLength: 15 }).map((text) => text.replace(/\s/g, '_'))
  const counters = fc.array(fc.nat(), { minLength: 16, maxLength: 16 })
  fc.assert(
    fc.property(fc.array(fc.tuple(name, counters)), fc.string(), (links, noise) => {
      const lines = links.map(([name, numbers]) => `${name}: ${numbers.join(' ')}`)
      const found = parseNetDev(`${HEAD}${lines.join('\n')}\n${noise.replaceAll(':', '')}`)
      assert.deepEqual(
        found.map(({ name, rxBytes, txDropped }) => [name, rxBytes, txDropped]),
        links.map(([name, numbers]) => [name, numbers[0], numbers[11]]),
      )
    }),
  )
})

test('the counters of a process’s namespace are those that it sees itself', () => {
  const names = [...readFileSync('/proc/self/net/dev', 'utf8').matchAll(/^ *(\S+):/gm)].map(([, name]) => name!)
  assert.deepEqual(
    linkCounters(process.pid, names).map(({ name }) => name),
    names,
  )
  assert.deepEqual(linkCounters(process.pid, ['nothing']), [])
  assert.deepEqual(linkCounters(2 ** 22 - 1, ['lo']), [])
})
