/** Who an object belongs to; immutable. Names are unique within a namespace, and each front end lists its own by default. */
export interface Owner {
  readonly frontEnd: 'raind' | 'kubernetes' | 'docker' | 'cri' | 'condenser'
  readonly kind: string
  readonly uid: string
}

export type Labels = Readonly<Record<string, string>>

/** An object of Kubernetes that another one belongs to; unlike `Owner` it may come and go. */
export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  /** It manages the object: there is one such owner at most. */
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

/** Kubernetes' ObjectMeta, as far as it is used. Times are ms since the epoch. */
export interface ObjectMeta {
  readonly namespace: string
  readonly name: string
  /** Unique for ever within its kind. Containers: 64 hex digits. */
  readonly uid: string
  /** The revision of the last write, from the store. */
  readonly resourceVersion: number
  /** Counts the changes of `spec`, from 1. */
  readonly generation: number
  readonly labels: Labels
  readonly annotations: Labels
  readonly owner?: Owner
  readonly ownerReferences?: readonly OwnerReference[]
  readonly finalizers?: readonly string[]
  /** Of server-side apply: which fields were set by whom. */
  readonly managedFields?: readonly unknown[]
  readonly createdAt: number
  /** Set when the object is on its way out. */
  readonly deletedAt?: number
  /** Of what is on its way out: how long it has. */
  readonly deletionGraceSeconds?: number
}

export interface StoredObject<Spec, Status> {
  readonly metadata: ObjectMeta
  readonly spec: Spec
  readonly status: Status
}

export const DEFAULT_NAMESPACE = 'default'
