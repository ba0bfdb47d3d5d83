import type { Ctx } from '../lib/ctx.ts'
import type { Kinds } from '../model/kinds.ts'
import type { KubeKind } from '../model/kube/kinds.ts'
import type { LabelSelector } from '../model/kube/label-selector.ts'
import type { Pod, ReplicaSet, Service } from '../model/kube/stored.ts'
import type { AppliedObject, ApplyOptions } from './apply.ts'
import type { DeleteOptions } from './delete.ts'
import type { KubeObject } from './kube-object.ts'

export interface ListOptions {
  /** All namespaces if absent. */
  readonly namespace?: string
  readonly selector?: LabelSelector
}

export interface DeleteManifestOptions extends DeleteOptions {
  readonly ignoreMissing?: boolean
  /** Of what names none; what names another is at fault. */
  readonly namespace?: string
}

export interface ObjectName {
  readonly kind: KubeKind
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

export interface ObjectDiff {
  readonly kind: KubeKind
  readonly namespace: string
  readonly name: string
  readonly before: KubeObject | undefined
  readonly after: KubeObject
}

/** A change of an object, as Kubernetes' watch tells it. */
export interface ObjectChange {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: KubeObject
}

/** Kubernetes' objects. What is written is on disk when a verb resolves; controllers make it true afterwards. */
export interface Resources extends AsyncDisposable {
  /**
   * All objects of a manifest, or none. By force what cannot be changed is deleted first, and has gone before the rest.
   * @throws {StatusError} `invalid_argument` naming document and path, `conflict`, `failed_precondition` (what cannot be
   *   changed); `details.documents` has each document that is at fault
   */
  apply(ctx: Ctx, text: string, options: ApplyOptions): Promise<AppliedObject[]>
  /** A pod that does not run until it is started; its uid. @throws {StatusError} `already_exists` */
  createStopped(text: string, network: string | undefined): Promise<string>
  /** The first document, a Service. @throws {StatusError} `already_exists`, and as `apply` */
  createService(text: string, options: ApplyOptions): Promise<Service>
  /** What `apply` would make of each, without doing it. */
  diff(text: string, options: ApplyOptions): Promise<ObjectDiff[]>
  /**
   * All objects that a manifest names, or none. @throws {StatusError} `not_found` unless `ignoreMissing`, with
   *   `details.documents`
   */
  deleteManifest(text: string, options: DeleteManifestOptions): Promise<ObjectName[]>
  /** By uid, or by name in its namespace. @throws {StatusError} `not_found` */
  delete(kind: KubeKind, ref: string, namespace: string | undefined, options?: DeleteOptions): Promise<ObjectName>
  /** Resolves when none of them is there any more, nor what goes with them. @throws {StatusError} when the context ends */
  untilGone(ctx: Ctx, objects: readonly ObjectName[]): Promise<void>
  find<K extends KubeKind>(kind: K, ref: string, namespace?: string): Kinds[K]
  list<K extends KubeKind>(kind: K, options?: ListOptions): Kinds[K][]
  /** All there are, and then every change. */
  watch(ctx: Ctx, kind: KubeKind, options?: ListOptions): AsyncIterable<ObjectChange>
  /** @throws {StatusError} `not_found`, `invalid_argument` */
  scale(ref: string, replicas: number, namespace?: string): Promise<ReplicaSet>
  /** Has a pod run, or not, until it is told otherwise. */
  setStopped(ref: string, stopped: boolean, namespace?: string): Promise<Pod>
}
