import { startKernelThread } from '../linux/kernel-thread.ts'
import { workerEntries } from './worker-entries.ts'

// It takes as long to come up as all other modules take to load.
const thread = startKernelThread(workerEntries().kernelThread)
void import('./daemon.ts').then(({ main }) => main(process.argv.slice(2), thread))
