import fc from 'fast-check'
import {
  anything,
  array,
  atomic,
  boolean,
  integer,
  map,
  object,
  optional,
  type Static,
  string,
} from '../../src/lib/schema.ts'

const port = object({
  containerPort: integer(),
  protocol: optional(string()),
  hostPort: optional(integer()),
})

const container = object({
  name: string(),
  image: optional(string()),
  tty: optional(boolean()),
  args: optional(array(string())),
  ports: optional(array(port, { merge: { keys: ['containerPort', 'protocol'], defaults: { protocol: 'TCP' } } })),
  env: optional(array(object({ name: string(), value: optional(string()) }), { merge: { keys: ['name'] } })),
  probe: optional(object({ path: optional(string()), period: optional(integer()) })),
})

/** A small kind with every way of merging in it. */
export const sampleSchema = object({
  apiVersion: string(),
  kind: string(),
  metadata: object({
    name: string(),
    uid: optional(anything()),
    labels: optional(map(string())),
    finalizers: optional(array(string(), { merge: 'set' })),
  }),
  spec: optional(
    object({
      replicas: optional(integer()),
      selector: optional(atomic(map(string()))),
      emptyDir: optional(object({ medium: optional(string()) })),
      containers: optional(array(container, { merge: { keys: ['name'] } })),
      limits: optional(map(object({ soft: optional(integer()), hard: optional(integer()) }))),
    }),
  ),
})

export type Sample = Static<typeof sampleSchema>

/** A sample object with these parts, as a manifest has them. */
export function sample(spec?: object, metadata: object = {}): unknown {
  return { apiVersion: 'v1', kind: 'Sample', metadata: { name: 'web', ...metadata }, ...(spec && { spec }) }
}

const text = fc.constantFrom('a', 'b', 'c')
const number = fc.nat({ max: 2 })
const someOf = <T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<object>
const entries = (key: string, keys: fc.Arbitrary<unknown>, rest: fc.Arbitrary<object>) =>
  fc.uniqueArray(
    fc.tuple(keys, rest).map(([value, others]) => ({ [key]: value, ...others })),
    { selector: (entry) => (entry as Record<string, unknown>)[key], maxLength: 4 },
  )
const names = fc.constantFrom('a', 'b', 'c', 'd', 'e')

const spec = someOf({
  replicas: number,
  selector: fc.dictionary(text, text),
  emptyDir: someOf({ medium: text }),
  limits: fc.dictionary(text, someOf({ soft: number, hard: number })),
  containers: entries(
    'name',
    names,
    someOf({
      image: text,
      tty: fc.boolean(),
      args: fc.array(text, { maxLength: 3 }),
      ports: entries('containerPort', number, someOf({ protocol: fc.constantFrom('TCP', 'UDP'), hostPort: number })),
      env: entries('name', text, someOf({ value: text })),
      probe: someOf({ path: text, period: number }),
    }),
  ),
})

/** Objects of `sampleSchema`, all of one name, that have much in common. */
export const samples: fc.Arbitrary<unknown> = fc
  .tuple(
    fc.option(spec, { nil: undefined }),
    someOf({ labels: fc.dictionary(text, text), finalizers: fc.uniqueArray(names, { maxLength: 4 }) }),
  )
  .map(([spec, metadata]) => JSON.parse(JSON.stringify(sample(spec, metadata))))
