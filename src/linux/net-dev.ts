import { closeSync, openSync, readSync } from 'node:fs'
import { systemCode } from '../lib/errors.ts'

/** As the namespace that the link is in sees it. */
export interface LinkCounters {
  readonly name: string
  readonly rxBytes: number
  readonly rxPackets: number
  readonly rxErrors: number
  readonly rxDropped: number
  readonly txBytes: number
  readonly txPackets: number
  readonly txErrors: number
  readonly txDropped: number
}

/** Some 500 links; who makes more in a container is not read to the end. */
const buffer = Buffer.alloc(65_536)

/**
 * Counters of these links in the network namespace of a process. Read from /proc, because that takes neither a change
 * of the namespace nor the kernel's lock over all links, which is held for tens of ms while one is deleted.
 */
export function linkCounters(pid: number, names: readonly string[]): LinkCounters[] {
  if (names.length === 0) return []
  const text = readNetDev(pid)
  return text === undefined ? [] : parseNetDev(text).filter(({ name }) => names.includes(name))
}

/** /proc/net/dev: two lines of titles, then `name: ` and 16 numbers a link. */
export function parseNetDev(text: string): LinkCounters[] {
  return text
    .split('\n')
    .slice(2)
    .flatMap((line) => {
      const colon = line.lastIndexOf(':')
      const numbers = line
        .slice(colon + 1)
        .trim()
        .split(/\s+/)
        .map(Number)
      if (colon < 0 || numbers.length !== 16 || numbers.some(Number.isNaN)) return []
      const [rxBytes, rxPackets, rxErrors, rxDropped] = numbers as [number, number, number, number]
      const [txBytes, txPackets, txErrors, txDropped] = numbers.slice(8) as [number, number, number, number]
      const name = line.slice(0, colon).trim()
      return [{ name, rxBytes, rxPackets, rxErrors, rxDropped, txBytes, txPackets, txErrors, txDropped }]
    })
}

/** Undefined if the process is gone, or has given up its namespaces on its way out. */
function readNetDev(pid: number): string | undefined {
  let fd: number | undefined
  try {
    fd = openSync(`/proc/${pid}/net/dev`, 'r')
    let end = 0
    // The kernel gives a page at a time.
    for (let length = -1; length !== 0 && end < buffer.length; end += length) {
      length = readSync(fd, buffer, end, buffer.length - end, null)
    }
    return buffer.toString('latin1', 0, end)
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EINVAL'].includes(systemCode(error) ?? '')) return undefined
    throw error
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
