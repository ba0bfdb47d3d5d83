import { StatusError } from '../lib/errors.ts'
import type { Resources } from './container.ts'

/** Below this no process starts (the same limit as docker's). */
const MIN_MEMORY_BYTES = 6 * 1024 * 1024
const CPU_LIST = /^\d{1,4}(?:-\d{1,4})?(?:,\d{1,4}(?:-\d{1,4})?)*$/

/** Checks limits against one another, with docker's rules. @throws {StatusError} `invalid_argument` */
export function validateResources(resources: Resources): void {
  const { memoryBytes, memorySwapBytes, memoryReservationBytes, cpusetCpus, cpusetMems } = resources
  if (memoryBytes !== undefined && memoryBytes < MIN_MEMORY_BYTES) {
    throw invalid('memory limit', memoryBytes, 'no container starts with less than 6m')
  }
  if (memorySwapBytes !== undefined && memoryBytes === undefined) {
    throw invalid('memory and swap limit', memorySwapBytes, 'it includes the memory limit, so give that too')
  }
  if (memorySwapBytes !== undefined && memorySwapBytes !== -1 && memorySwapBytes < memoryBytes!) {
    throw invalid('memory and swap limit', memorySwapBytes, 'it includes the memory limit and must not be below it')
  }
  if (memoryReservationBytes !== undefined && memoryReservationBytes < MIN_MEMORY_BYTES) {
    throw invalid('memory reservation', memoryReservationBytes, 'it must be at least 6m')
  }
  if ((memoryReservationBytes ?? 0) > (memoryBytes ?? Infinity)) {
    throw invalid('memory reservation', memoryReservationBytes!, 'it must not be above the memory limit')
  }
  for (const list of [cpusetCpus, cpusetMems]) if (list !== undefined) parseCpuList(list)
}

/** The numbers of a list such as `0-3,8`. @throws {StatusError} `invalid_argument` */
export function parseCpuList(text: string): Set<number> {
  const fault = () => invalid('list of CPUs or memory nodes', text, 'want numbers and ranges, as in 0-3,8')
  if (!CPU_LIST.test(text)) throw fault()
  const found = new Set<number>()
  for (const range of text.split(',')) {
    const [first, last = first] = range.split('-').map(Number)
    if (first! > last!) throw fault()
    for (let number = first!; number <= last!; number++) found.add(number)
  }
  return found
}

function invalid(what: string, value: string | number, problem: string): StatusError {
  return new StatusError('invalid_argument', `Invalid ${what} "${String(value).slice(0, 40)}": ${problem}`)
}
