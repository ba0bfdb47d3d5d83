/** The modules that Workers begin with. A bundle (scripts/build.sh) has them below the folder of this code. */
export interface WorkerEntries {
  readonly kernelThread: URL
  readonly checkpoint: URL
  readonly unpack: URL
}

export function workerEntries(): WorkerEntries {
  const bundled = !import.meta.url.endsWith('.ts')
  const entry = (source: string, bundle: string) => new URL(bundled ? bundle : source, import.meta.url)
  return {
    kernelThread: entry('./kernel-thread.ts', './daemon/kernel-thread.js'),
    checkpoint: entry('../store/checkpoint-worker.ts', './store/checkpoint-worker.js'),
    unpack: entry('../snapshots/unpack-worker.ts', './snapshots/unpack-worker.js'),
  }
}
