import {
  anything,
  array,
  atomic,
  boolean,
  dropped,
  map,
  object,
  optional,
  type Static,
  string,
} from '../../lib/schema.ts'

const ownerReference = atomic(
  object({
    apiVersion: string(),
    kind: string(),
    name: string(),
    uid: string(),
    controller: optional(boolean()),
    blockOwnerDeletion: optional(boolean()),
  }),
)

const setHere = optional(anything(), dropped('the daemon sets it'))
/** What is applied is read for these before, as preconditions. */
const comparedHere = optional(anything(), dropped('the daemon sets it; an object that is there must have it'))
const serverSet = {
  uid: comparedHere,
  resourceVersion: comparedHere,
  generation: setHere,
  creationTimestamp: setHere,
  deletionTimestamp: setHere,
  deletionGracePeriodSeconds: setHere,
  managedFields: setHere,
  selfLink: setHere,
}

/** ObjectMeta as a manifest states it. What the server sets may be there, as in what was read from a cluster. */
export const objectMeta = object({
  name: optional(string()),
  /** Absent name: the beginning of one that is made up. */
  generateName: optional(string()),
  /** Absent: `default`. */
  namespace: optional(string()),
  labels: optional(map(string())),
  annotations: optional(map(string())),
  ownerReferences: optional(array(ownerReference, { merge: { keys: ['uid'] } })),
  finalizers: optional(array(string(), { merge: 'set' })),
  ...serverSet,
})

/** Without what the server sets. */
export type ManifestMeta = Omit<Static<typeof objectMeta>, keyof typeof serverSet>
export type OwnerReference = Static<typeof ownerReference>
