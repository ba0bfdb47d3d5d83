import type { ResourceRequirements } from '../container.ts'
import { qualifiedNameProblem } from '../names.ts'
import { type Quantity, quantityOf } from '../quantity.ts'
import { type Faults, faultIf } from './fault-if.ts'

const STANDARD = ['cpu', 'memory', 'ephemeral-storage']

export function* resourceFaults(path: string, { limits = {}, requests = {} }: ResourceRequirements): Faults {
  yield* listFaults(`${path}.limits`, limits)
  yield* listFaults(`${path}.requests`, requests)
  for (const [name, request] of Object.entries(requests)) {
    const limit = Object.hasOwn(limits, name) ? limits[name]! : Infinity
    const isMore = (quantityOf(request) ?? 0) > (quantityOf(limit) ?? Infinity)
    yield* faultIf(`${path}.requests.${name}`, isMore && `must not be more than its limit: ${request} > ${limit}`)
  }
}

function* listFaults(path: string, list: Readonly<Record<string, Quantity>>): Faults {
  for (const [name, value] of Object.entries(list)) {
    const at = `${path}.${name}`
    yield* faultIf(at, quantityProblem(value))
    if (STANDARD.includes(name)) continue
    yield* faultIf(at, qualifiedNameProblem(name) ?? absenceOf(name, value))
  }
}

function absenceOf(name: string, value: Quantity): string | undefined {
  if (quantityOf(value) === 0) return undefined
  if (name.startsWith('hugepages-')) return 'is not supported: huge pages are not given out'
  if (name.includes('/')) return 'is not supported: nothing here gives out devices'
  return `is unknown; known are ${STANDARD.join(', ')}`
}

/** Of a quantity that must not be negative. */
export function quantityProblem(value: Quantity): string | undefined {
  const number = quantityOf(value)
  if (number === undefined) return `must be a quantity such as 500m, 2 or 64Mi, not ${JSON.stringify(value)}`
  return number < 0 ? `must not be negative, not ${value}` : undefined
}
