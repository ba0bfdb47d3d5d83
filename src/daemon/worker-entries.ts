import { extname } from 'node:path'

/** The modules that Workers and the name server's process begin with. */
export interface WorkerEntries {
  readonly kernelThread: URL
  readonly checkpoint: URL
  readonly unpack: URL
  readonly manifests: URL
  readonly bottles: URL
  readonly dns: URL
}

/** Beside this one in the sources; scripts/build.sh keeps the folders, with this code in daemon/main.cjs. */
export function workerEntries(): WorkerEntries {
  const entry = (path: string) => new URL(`${path}${extname(import.meta.url)}`, import.meta.url)
  return {
    kernelThread: entry('./kernel-thread'),
    checkpoint: entry('../store/checkpoint-worker'),
    unpack: entry('../snapshots/unpack-worker'),
    manifests: entry('../resources/manifest-worker'),
    bottles: entry('../bottles/bottle-worker'),
    dns: entry('../dns/main'),
  }
}
