import type { SeccompArgument } from '../../linux/seccomp.ts'

/** OCI runtime-spec 1.0.2: what we write of config.json. */
export interface OciSpec {
  readonly ociVersion: string
  /** Only with a UTS namespace of its own. */
  readonly hostname?: string
  readonly root: { readonly path: string; readonly readonly: boolean }
  readonly process: OciProcess
  readonly mounts: readonly OciMount[]
  readonly annotations: Readonly<Record<string, string>>
  readonly linux: OciLinux
}

export interface OciProcess {
  readonly terminal: boolean
  readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids: readonly number[] }
  readonly args: readonly string[]
  readonly env: readonly string[]
  readonly cwd: string
  readonly capabilities: OciCapabilities
  readonly rlimits: readonly OciRlimit[]
  readonly noNewPrivileges: boolean
  readonly oomScoreAdj: number
  readonly apparmorProfile?: string
}

/** `RLIM_INFINITY` is written as the kernel's number (see `encodeOci`). */
export interface OciRlimit {
  readonly type: string
  readonly soft: number
  readonly hard: number
}

export interface OciCapabilities {
  readonly bounding: readonly string[]
  readonly effective: readonly string[]
  readonly permitted: readonly string[]
  readonly inheritable: readonly string[]
  readonly ambient: readonly string[]
}

export interface OciMount {
  readonly destination: string
  readonly type: string
  readonly source: string
  readonly options: readonly string[]
}

export interface OciLinux {
  readonly namespaces: readonly { readonly type: string; readonly path?: string }[]
  readonly cgroupsPath: string
  readonly resources: OciResources
  readonly devices?: readonly OciDevice[]
  readonly sysctl: Readonly<Record<string, string>>
  readonly seccomp?: OciSeccomp
  readonly maskedPaths: readonly string[]
  readonly readonlyPaths: readonly string[]
  readonly rootfsPropagation?: string
}

/** What of `resources` can also be changed while the container runs. */
export interface OciLimits {
  readonly memory?: { readonly limit?: number; readonly swap?: number; readonly reservation?: number }
  readonly cpu?: {
    readonly quota?: number
    readonly period?: number
    readonly shares?: number
    readonly cpus?: string
    readonly mems?: string
  }
  readonly pids: { readonly limit: number }
}

export interface OciResources extends OciLimits {
  readonly devices: readonly OciDeviceRule[]
}

/** config-linux.md#seccomp. */
export interface OciSeccomp {
  readonly defaultAction: string
  readonly defaultErrnoRet?: number
  readonly architectures: readonly string[]
  readonly flags?: readonly string[]
  readonly syscalls: readonly {
    readonly names: readonly string[]
    readonly action: string
    readonly errnoRet?: number
    readonly args?: readonly SeccompArgument[]
  }[]
}

export interface OciDevice {
  readonly path: string
  readonly type: 'c' | 'b'
  readonly major: number
  readonly minor: number
  readonly fileMode: number
  readonly uid: number
  readonly gid: number
}

export interface OciDeviceRule {
  readonly allow: boolean
  readonly type?: 'c' | 'b'
  readonly major?: number
  readonly minor?: number
  readonly access: string
}
