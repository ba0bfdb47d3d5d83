import { readFileSync } from 'node:fs'

/** Processor time of a process so far, all its threads, user and system; clock ticks are 10 ms. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
