import type { Resources } from '../../model/container.ts'
import type { HostFacts } from './host-facts.ts'
import type { OciDevice, OciDeviceRule, OciLimits, OciResources } from './oci-types.ts'

/** µs; CFS' default. */
const CPU_PERIOD_US = 100_000
/** 0 is unlimited for crun (whose own default is 2048) and for runc; crun 1.8 fails on the spec's -1. */
const PIDS_UNLIMITED = 0

/** Docker's: nothing but null, zero, full, random, urandom, tty and console; the runtime adds ptmx and the ptys. */
const DEVICES: readonly OciDeviceRule[] = [
  { allow: false, access: 'rwm' },
  character(true, 1, 5),
  character(true, 1, 3),
  character(true, 1, 9),
  character(true, 1, 8),
  character(true, 5, 0),
  character(true, 5, 1),
  character(false, 10, 229),
]

/** The limits, and which devices may be used: the harmless ones and those given, or all of them. */
export function ociResources(
  resources: Resources,
  host: Pick<HostFacts, 'limitsSwap'>,
  devices: readonly (OciDevice & { readonly access: string })[] | 'all',
): OciResources {
  const given =
    devices === 'all'
      ? [{ allow: true, access: 'rwm' }]
      : devices.map(({ type, major, minor, access }) => ({ allow: true, type, major, minor, access }))
  return { devices: [...DEVICES, ...given], ...ociLimits(resources, host) }
}

/** With a memory limit comes, as docker has it, as much swap again, where the host can limit swap at all. */
export function ociLimits(resources: Resources, { limitsSwap }: Pick<HostFacts, 'limitsSwap'>): OciLimits {
  const { memoryBytes, memorySwapBytes, memoryReservationBytes, milliCpus, cpuShares, pids } = resources
  const memory = present({
    limit: memoryBytes,
    swap: memoryBytes === undefined || !limitsSwap ? undefined : (memorySwapBytes ?? memoryBytes * 2),
    reservation: memoryReservationBytes,
  })
  const cpu = present({
    quota: milliCpus === undefined ? undefined : Math.floor((milliCpus * CPU_PERIOD_US) / 1000),
    period: milliCpus === undefined ? undefined : CPU_PERIOD_US,
    shares: cpuShares,
    cpus: resources.cpusetCpus,
    mems: resources.cpusetMems,
  })
  return { ...(memory && { memory }), ...(cpu && { cpu }), pids: { limit: pids ?? PIDS_UNLIMITED } }
}

/** Undefined if nothing is set. */
function present<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } | undefined {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined)
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as never)
}

function character(allow: boolean, major: number, minor: number): OciDeviceRule {
  return { allow, type: 'c', major, minor, access: 'rwm' }
}
