import { access, readFile } from 'node:fs/promises'
import { StatusError } from '../lib/errors.ts'
import type { Mount, Resources } from '../model/container.ts'
import { parseCpuList } from '../model/resources.ts'
import { findInit, givenDevices, hasAppArmorProfile, propagationOf } from '../runtime/index.ts'
import type { Deps } from './deps.ts'
import type { CreateContainer } from './types.ts'

/**
 * Refuses what this host cannot give, before anything is made.
 * @throws {StatusError} `invalid_argument`; `failed_precondition` where a package helps
 */
export async function assertHostHas({ runtime }: Deps, request: CreateContainer): Promise<void> {
  const { resources = {}, options = {} } = request
  const mounts = (request.mounts ?? []).filter((mount) => 'source' in mount)
  await assertSourcesExist(mounts)
  assertMountsPropagate(mounts)
  givenDevices(options.devices ?? [])
  if (options.init) findInit()
  await assertHostCanLimit(runtime.host, resources)
  if (options.oomScoreAdj !== undefined) assertMayProtect(runtime.host, options.oomScoreAdj)
  const profile = options.security?.apparmor
  if (profile === undefined || profile === 'unconfined' || hasAppArmorProfile(profile)) return
  throw new StatusError(
    'invalid_argument',
    `Cannot use the AppArmor profile "${profile.slice(0, 100)}": it is not loaded in this host's kernel`,
  )
}

/** @throws {StatusError} `invalid_argument` */
export async function assertHostCanLimit(
  { limitsSwap }: Deps['runtime']['host'],
  { memorySwapBytes, cpusetCpus, cpusetMems }: Resources,
): Promise<void> {
  if (memorySwapBytes !== undefined && !limitsSwap) {
    throw new StatusError('invalid_argument', "Cannot limit swap: this host's kernel has that turned off")
  }
  if (cpusetCpus !== undefined) await assertOnline('CPUs', 'cpu', cpusetCpus)
  if (cpusetMems !== undefined) await assertOnline('memory nodes', 'node', cpusetMems)
}

/** The lowest out-of-memory score that can be given: without CAP_SYS_RESOURCE nobody may lower one (proc(5)). */
export function lowestOomScore({ capabilities, oomScoreAdj }: Deps['runtime']['host']): number {
  return capabilities.includes('CAP_SYS_RESOURCE') ? -1000 : oomScoreAdj
}

function assertMayProtect(host: Deps['runtime']['host'], wanted: number): void {
  if (wanted >= lowestOomScore(host)) return
  throw new StatusError(
    'invalid_argument',
    `Cannot give the out-of-memory score ${wanted}: the daemon lacks CAP_SYS_RESOURCE, and may give none below ${host.oomScoreAdj}`,
  )
}

/** The kernel without NUMA has no list of nodes: there is one, 0. */
async function assertOnline(what: string, kind: 'cpu' | 'node', wanted: string): Promise<void> {
  const online = (await readFile(`/sys/devices/system/${kind}/online`, 'utf8').catch(() => '0')).trim()
  const missing = [...parseCpuList(wanted)].find((number) => !parseCpuList(online).has(number))
  if (missing === undefined) return
  throw new StatusError('invalid_argument', `Cannot use the ${what} "${wanted}": this host has ${online}`)
}

async function assertSourcesExist(mounts: readonly Mount[]): Promise<void> {
  for (const { source } of mounts) {
    await access(source).catch((cause) => {
      throw new StatusError(
        'invalid_argument',
        `Cannot mount "${source}": this host has no such file or directory; create it first`,
        { cause },
      )
    })
  }
}

/** What is shared with the host needs a host's mount that is shared; a slave, one that is shared or a slave. */
function assertMountsPropagate(mounts: readonly Mount[]): void {
  for (const { source, propagation } of mounts) {
    if (propagation.endsWith('private')) continue
    const { mountPoint, isShared, isSlave } = propagationOf(source)
    if (isShared || (propagation.endsWith('slave') && isSlave)) continue
    throw new StatusError(
      'invalid_argument',
      `Cannot mount "${source}" with ${propagation}: the host's mount at "${mountPoint}" is not shared; ` +
        `try: mount --make-shared ${mountPoint}`,
    )
  }
}
