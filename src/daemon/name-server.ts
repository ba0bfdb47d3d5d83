import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { dnsRecords } from '../containers/index.ts'
import { NameServer } from '../dns/index.ts'
import type { Ctx } from '../lib/ctx.ts'
import { version } from '../lib/version.ts'
import { cgroupHierarchies, containerCgroup, leafCgroup } from '../linux/cgroup.ts'
import type { KernelThread } from '../linux/kernel-thread.ts'
import type { Store } from '../store/index.ts'
import type { Config } from './config.ts'
import { workerEntries } from './worker-entries.ts'

/** Undefined where the configuration wants none; then a process that an earlier daemon left ends. */
export async function openNameServer(
  { log }: Ctx,
  config: Config,
  parts: { readonly thread: KernelThread; readonly store: Store },
): Promise<NameServer | undefined> {
  const directory = join(config.run, 'dns')
  if (!config.dns) {
    await rm(directory, { recursive: true, force: true })
    return undefined
  }
  const { thread, store } = parts
  return new NameServer({
    directory,
    entry: workerEntries().dns,
    version,
    thread,
    log,
    records: () => store.read((tx) => dnsRecords(tx, config.network.bridge)),
    // With the other processes that outlive the daemon.
    onStart: (pid) => leafCgroup(containerCgroup(config.cgroupParent, 'conmon'), cgroupHierarchies()).adoptProcess(pid),
  })
}
