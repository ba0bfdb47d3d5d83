import type { SeccompFilter } from '../../linux/seccomp.ts'

/** OCI runtime-spec 1.0.2: what we write of config.json. */
export interface OciSpec {
  readonly ociVersion: string
  readonly hostname: string
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
  readonly rlimits: readonly { readonly type: string; readonly soft: number; readonly hard: number }[]
  readonly noNewPrivileges: boolean
  readonly oomScoreAdj: number
  readonly apparmorProfile?: string
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
  readonly sysctl: Readonly<Record<string, string>>
  readonly seccomp?: SeccompFilter
  readonly maskedPaths: readonly string[]
  readonly readonlyPaths: readonly string[]
  readonly rootfsPropagation?: string
}

export interface OciResources {
  readonly devices: readonly OciDeviceRule[]
  readonly memory?: { readonly limit: number; readonly swap?: number }
  readonly cpu?: { readonly quota: number; readonly period: number }
  readonly pids: { readonly limit: number }
}

export interface OciDeviceRule {
  readonly allow: boolean
  readonly type?: 'c' | 'b'
  readonly major?: number
  readonly minor?: number
  readonly access: string
}
