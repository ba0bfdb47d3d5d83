import { readdirSync } from 'node:fs'
import { processStat } from '../../src/linux/process.ts'

export function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && processStat(pid)?.parent === parent)
}
