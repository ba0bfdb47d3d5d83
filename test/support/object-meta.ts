import type { ObjectMeta } from '../../src/model/meta.ts'

/** What an object has beside its spec, as the store would have filled it in; `createdAt` is 2026-02-03T04:05:06.789Z. */
export function objectMeta(name: string, more: Partial<ObjectMeta> = {}): ObjectMeta {
  return {
    namespace: 'default',
    name,
    uid: Buffer.from(name).toString('hex').padEnd(64, '0').slice(0, 64),
    resourceVersion: 1,
    generation: 1,
    labels: {},
    annotations: {},
    createdAt: Date.UTC(2026, 1, 3, 4, 5, 6, 789),
    ...more,
  }
}
