import { readFileSync } from 'node:fs'

/** Columns of a line of /proc/stat (proc(5)), in ticks. */
const [IDLE, IOWAIT, GUEST] = [3, 4, 8]

let last: readonly (readonly number[])[] = []

/** How many processors had nothing to do since the last call, on average; 0 at the first one. */
export function idleProcessors(): number {
  const now = processorTimes(readFileSync('/proc/stat', 'utf8'))
  const before = last
  last = now
  return now.reduce((sum, times, index) => sum + idleShare(before[index] ?? times, times), 0)
}

/** Of each processor that is on, from the text of /proc/stat. */
export function processorTimes(text: string): number[][] {
  return text
    .split('\n')
    .filter((line) => /^cpu\d/.test(line))
    .map((line) => line.split(' ').slice(1).map(Number))
}

/** Between two readings of one processor. */
export function idleShare(before: readonly number[], after: readonly number[]): number {
  // What guests take is in the first columns already.
  const passed = after.slice(0, GUEST).map((ticks, column) => ticks - (before[column] ?? 0))
  const total = passed.reduce((sum, ticks) => sum + ticks, 0)
  return total <= 0 ? 0 : (passed[IDLE]! + passed[IOWAIT]!) / total
}
