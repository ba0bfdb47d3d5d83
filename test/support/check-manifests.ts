import assert from 'node:assert/strict'
import { readObject } from '../../src/model/kube/read-object.ts'

export const OK = 'ok'

/** The faults of a manifest as `path problem`, joined; `ok` without any. */
export function faultsOf(value: unknown): string {
  try {
    readObject(value, 'x')
    return OK
  } catch (error) {
    return (error as Error).message.replace(/^\w+(?: "[^"]*")?(?: has \d+ faults)?: /, '')
  }
}

/** Manifests made from parts, and what is wrong with each. */
export function checkFaults(
  make: (part: object) => unknown,
  cases: readonly (readonly [object, string | RegExp])[],
): void {
  for (const [part, wanted] of cases) {
    const found = faultsOf(make(part))
    if (typeof wanted === 'string') assert.equal(found, wanted, JSON.stringify(part))
    else assert.match(found, wanted, JSON.stringify(part))
  }
}
