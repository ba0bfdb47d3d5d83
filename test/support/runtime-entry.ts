/** Entry module of a kernel thread that only spawns. */
import { serveKernelThread } from '../../src/linux/kernel-thread.ts'
import { spawnOps } from '../../src/linux/spawn.ts'

serveKernelThread(spawnOps)
