import type { Resources } from '../../model/container.ts'
import type { HostFacts } from './host-facts.ts'
import type { OciDeviceRule, OciResources } from './oci-types.ts'

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

/** With a memory limit comes, as docker has it, as much swap again, where the host can limit swap at all. */
export function ociResources(
  { memoryBytes, milliCpus, pids }: Resources,
  { limitsSwap }: Pick<HostFacts, 'limitsSwap'>,
): OciResources {
  return {
    devices: DEVICES,
    ...(memoryBytes !== undefined && {
      memory: { limit: memoryBytes, ...(limitsSwap && { swap: memoryBytes * 2 }) },
    }),
    ...(milliCpus !== undefined && {
      cpu: { quota: Math.floor((milliCpus * CPU_PERIOD_US) / 1000), period: CPU_PERIOD_US },
    }),
    pids: { limit: pids ?? PIDS_UNLIMITED },
  }
}

function character(allow: boolean, major: number, minor: number): OciDeviceRule {
  return { allow, type: 'c', major, minor, access: 'rwm' }
}
