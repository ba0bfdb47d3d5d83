import type { ContainerSpec } from '../../model/container.ts'
import { NAMESPACE_KINDS, type NamespaceKind } from '../../model/namespace-mode.ts'
import { containerCapabilities } from './capabilities.ts'
import { customSeccomp } from './custom-seccomp.ts'
import { allDevices, givenDevices } from './devices.ts'
import type { HostFacts } from './host-facts.ts'
import { containerMounts, INIT_PATH, type MountSources, opensSysfs, rootPropagation, SYSFS } from './mounts.ts'
import { ociProcess } from './oci-process.ts'
import type { OciLinux, OciSeccomp, OciSpec } from './oci-types.ts'
import type { ResolvedUser } from './resolve-user.ts'
import { ociResources } from './resources.ts'
import type { RenderedSeccomp } from './seccomp.ts'

export interface OciSpecInput extends MountSources {
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
  /** Namespaces that are not the container's own: the host's, or those at a path. */
  readonly namespaces?: Readonly<Partial<Record<NamespaceKind, 'host' | { readonly path: string }>>>
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
  const { spec, host, user, initProgram } = input
  const capabilities = containerCapabilities(
    spec.privileged ? ['ALL', ...spec.capAdd] : spec.capAdd,
    spec.privileged ? [] : spec.capDrop,
    host.capabilities,
  )
  const { filter, bpf } = chooseSeccomp(input, capabilities)
  const apparmorProfile = chooseApparmor(input)
  return {
    ociVersion: '1.0.2',
    ...(input.namespaces?.uts === undefined && { hostname: spec.hostname }),
    root: { path: input.rootfs, readonly: spec.readOnlyRootfs },
    process: ociProcess({
      ...spec,
      args: initProgram === undefined ? spec.args : [INIT_PATH, '--', ...spec.args],
      user,
      capabilities,
      host,
      ...(apparmorProfile !== undefined && { apparmorProfile }),
    }),
    mounts: containerMounts(spec, input, host.kernel),
    annotations: { ...input.annotations, ...(bpf !== undefined && { [BPF_ANNOTATION]: bpf }) },
    linux: { ...ociLinux(input), ...(bpf === undefined && filter && { seccomp: filter }) },
  }
}

/** What a user gives holds for a privileged container too, as in docker. */
function chooseSeccomp(
  { spec, host, seccomp }: OciSpecInput,
  capabilities: readonly string[],
): { readonly filter?: OciSeccomp; readonly bpf?: string } {
  const asked = spec.security?.seccomp ?? (spec.privileged ? 'unconfined' : undefined)
  if (asked === 'unconfined') return {}
  return asked === undefined ? seccomp(capabilities) : { filter: customSeccomp(asked, { ...host, capabilities }) }
}

function chooseApparmor({ spec, apparmorProfile }: OciSpecInput): string | undefined {
  const asked = spec.security?.apparmor ?? (spec.privileged ? 'unconfined' : apparmorProfile)
  return asked === 'unconfined' ? undefined : asked
}

function ociLinux(input: OciSpecInput): OciLinux {
  const { spec, host, cgroupsPath, netnsPath } = input
  const propagation = rootPropagation(spec.mounts)
  const open = spec.privileged || spec.security?.systemPaths === 'unconfined'
  const given = givenDevices(spec.devices ?? [])
  return {
    namespaces: [
      { type: 'mount' },
      ...(input.hostNetwork ? [] : [{ type: 'network', ...(netnsPath !== undefined && { path: netnsPath }) }]),
      ...NAMESPACE_KINDS.flatMap((type) => namespace(type, input.namespaces?.[type])),
      ...(host.cgroupVersion === 2 ? [{ type: 'cgroup' }] : []),
    ],
    cgroupsPath,
    resources: ociResources(spec.resources, host, spec.privileged ? 'all' : given),
    devices: [...(spec.privileged ? allDevices() : []), ...given.map(({ access: _, ...device }) => device)],
    sysctl: { ...(input.hostNetwork ? {} : SYSCTLS), ...spec.sysctls },
    maskedPaths: open ? [] : [...MASKED_PATHS, ...host.thermalPaths],
    readonlyPaths: open ? [] : [...READONLY_PATHS, ...(opensSysfs(spec) ? [SYSFS] : [])],
    ...(propagation !== undefined && { rootfsPropagation: propagation }),
  }
}

function namespace(type: NamespaceKind, place: 'host' | { readonly path: string } | undefined) {
  return place === 'host' ? [] : [{ type, ...place }]
}
