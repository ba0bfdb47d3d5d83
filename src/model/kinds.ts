import type { Bottle } from './bottle.ts'
import type { Container } from './container.ts'
import type { Image, Layer, Pull } from './image.ts'
import type { ConfigMap, Namespace, Pod, ReplicaSet, Secret, Service } from './kube/stored.ts'
import type { AddressLease, AddressPool, Network, PortLease, Sandbox } from './network.ts'
import type { Volume } from './volume.ts'

/** Every kind of object the store holds. A later kind is a line here and a file with its types. */
export interface Kinds {
  Image: Image
  Layer: Layer
  Pull: Pull
  Network: Network
  AddressLease: AddressLease
  AddressPool: AddressPool
  PortLease: PortLease
  Sandbox: Sandbox
  Container: Container
  Volume: Volume
  Bottle: Bottle
  Pod: Pod
  ReplicaSet: ReplicaSet
  Service: Service
  ConfigMap: ConfigMap
  Secret: Secret
  Namespace: Namespace
}

export type Kind = keyof Kinds
