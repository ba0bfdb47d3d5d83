import {
  anything,
  array,
  boolean,
  ignored,
  integer,
  object,
  oneOf,
  optional,
  refused,
  type Static,
  string,
} from '../../lib/schema.ts'
import { quantity } from './quantity.ts'

const mode = integer({ minimum: 0, maximum: 0o777 })

const keyToPath = object({
  key: string(),
  /** Relative, below the volume's root. */
  path: string(),
  mode: optional(mode),
})

const emptyDir = object({
  medium: optional(oneOf('Memory')),
  sizeLimit: optional(quantity),
})

const hostPath = object({
  path: string(),
  type: optional(
    oneOf('', 'DirectoryOrCreate', 'Directory', 'FileOrCreate', 'File', 'Socket', 'CharDevice', 'BlockDevice'),
  ),
})

const configMapSource = object({
  name: optional(string()),
  items: optional(array(keyToPath)),
  defaultMode: optional(mode),
  optional: optional(boolean()),
})

const secretSource = object({
  secretName: optional(string()),
  items: optional(array(keyToPath)),
  defaultMode: optional(mode),
  optional: optional(boolean()),
})

function absent(why: string) {
  return optional(anything(), refused(why))
}

const NOT_YET = 'this volume source is not there yet'
const NO_DRIVER = 'there is no driver for it on this machine; mount it on the host and use hostPath'

/** Exactly one source. */
export const volume = object({
  name: string(),
  emptyDir: optional(emptyDir),
  hostPath: optional(hostPath),
  configMap: optional(configMapSource),
  secret: optional(secretSource),
  downwardAPI: absent(`${NOT_YET}; env with fieldRef gives the same values`),
  projected: absent(`${NOT_YET}; use a volume for each configMap and secret`),
  persistentVolumeClaim: absent('there are no persistent volumes; use hostPath'),
  ephemeral: absent('there are no persistent volumes; use emptyDir'),
  image: absent(NOT_YET),
  csi: absent(NO_DRIVER),
  nfs: absent(NO_DRIVER),
  iscsi: absent(NO_DRIVER),
  fc: absent(NO_DRIVER),
  flexVolume: absent(NO_DRIVER),
  glusterfs: absent(NO_DRIVER),
  rbd: absent(NO_DRIVER),
  cephfs: absent(NO_DRIVER),
  cinder: absent(NO_DRIVER),
  flocker: absent(NO_DRIVER),
  quobyte: absent(NO_DRIVER),
  scaleIO: absent(NO_DRIVER),
  storageos: absent(NO_DRIVER),
  portworxVolume: absent(NO_DRIVER),
  awsElasticBlockStore: absent(NO_DRIVER),
  azureDisk: absent(NO_DRIVER),
  azureFile: absent(NO_DRIVER),
  gcePersistentDisk: absent(NO_DRIVER),
  photonPersistentDisk: absent(NO_DRIVER),
  vsphereVolume: absent(NO_DRIVER),
  gitRepo: absent('Kubernetes has given it up, as it runs git as root; clone in an init container'),
})

export const volumeMount = object({
  name: string(),
  mountPath: string(),
  readOnly: optional(boolean()),
  /** Relative, below the volume's root. */
  subPath: optional(string()),
  mountPropagation: optional(oneOf('None', 'HostToContainer', 'Bidirectional')),
  recursiveReadOnly: optional(
    oneOf('Disabled', 'IfPossible', 'Enabled'),
    refused('mounts below the volume would stay writable', { only: ['Enabled'] }),
    ignored(undefined, { except: ['Disabled'] }),
  ),
  subPathExpr: optional(string(), refused('without it the whole volume would be mounted; use subPath')),
})

export type Volume = Static<typeof volume>
export type VolumeMount = Static<typeof volumeMount>
export type EmptyDirVolume = Static<typeof emptyDir>
export type HostPathVolume = Static<typeof hostPath>
export type ConfigMapVolume = Static<typeof configMapSource>
export type SecretVolume = Static<typeof secretSource>
export type KeyToPath = Static<typeof keyToPath>
