import type { ContainerSpec } from '../../model/container.ts'
import { containerCapabilities } from './capabilities.ts'
import type { HostFacts } from './host-facts.ts'
import { containerMounts, rootPropagation } from './mounts.ts'
import { ociProcess } from './oci-process.ts'
import type { OciLinux, OciSpec } from './oci-types.ts'
import type { ResolvedUser } from './resolve-user.ts'
import { ociResources } from './resources.ts'
import type { RenderedSeccomp } from './seccomp.ts'

export interface OciSpecInput {
  /** Absolute, or relative to the bundle. */
  readonly rootfs: string
  readonly spec: ContainerSpec
  readonly user: ResolvedUser
  /** Absent: a network namespace of its own, with nothing in it. */
  readonly netnsPath?: string
  /** In the host's own network namespace instead. */
  readonly hostNetwork?: boolean
  /** For the cgroupfs driver: from the root of each hierarchy. */
  readonly cgroupsPath: string
  /** Holds hosts, hostname and resolv.conf. */
  readonly etcDir: string
  readonly seccomp: (capabilities: readonly string[]) => RenderedSeccomp
  /** The name of a profile that is loaded; leave it out where the kernel has no AppArmor. */
  readonly apparmorProfile?: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly host: HostFacts
}

/** crun (since 1.0) loads this filter as it is; runc knows only the `seccomp` section. */
const BPF_ANNOTATION = 'run.oci.seccomp_bpf_data'

const MASKED_PATHS = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
]

const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

/** Of the container's own network: ping without CAP_NET_RAW, and low ports without CAP_NET_BIND_SERVICE. */
const SYSCTLS = {
  'net.ipv4.ping_group_range': '0 2147483647',
  'net.ipv4.ip_unprivileged_port_start': '0',
}

/**
 * The config.json of a container (OCI runtime-spec 1.0.2) with Docker's default sandbox.
 *
 * @throws {StatusError} `invalid_argument` for an unknown capability or tmpfs option
 */
export function ociSpec(input: OciSpecInput): OciSpec {
  const { spec, host, user, apparmorProfile } = input
  const capabilities = containerCapabilities(spec.capAdd, spec.capDrop, host.capabilities)
  const { filter, bpf } = input.seccomp(capabilities)
  return {
    ociVersion: '1.0.2',
    hostname: spec.hostname,
    root: { path: input.rootfs, readonly: spec.readOnlyRootfs },
    process: ociProcess({
      ...spec,
      user,
      capabilities,
      host,
      ...(apparmorProfile !== undefined && { apparmorProfile }),
    }),
    mounts: containerMounts(spec, input.etcDir, host.kernel),
    annotations: { ...input.annotations, ...(bpf !== undefined && { [BPF_ANNOTATION]: bpf }) },
    linux: { ...ociLinux(input), ...(bpf === undefined && { seccomp: filter }) },
  }
}

function ociLinux({ spec, host, cgroupsPath, netnsPath, hostNetwork = false }: OciSpecInput): OciLinux {
  const propagation = rootPropagation(spec.mounts)
  return {
    namespaces: [
      { type: 'mount' },
      ...(hostNetwork ? [] : [{ type: 'network', ...(netnsPath !== undefined && { path: netnsPath }) }]),
      { type: 'uts' },
      { type: 'pid' },
      { type: 'ipc' },
      ...(host.cgroupVersion === 2 ? [{ type: 'cgroup' }] : []),
    ],
    cgroupsPath,
    resources: ociResources(spec.resources, host),
    sysctl: hostNetwork ? {} : SYSCTLS,
    maskedPaths: [...MASKED_PATHS, ...host.thermalPaths],
    readonlyPaths: READONLY_PATHS,
    ...(propagation !== undefined && { rootfsPropagation: propagation }),
  }
}
