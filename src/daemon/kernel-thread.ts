/** The entry module of the kernel thread: the operations that it serves. */
import { keepCompiledCode } from '../lib/compile-cache.ts'
import { usageOps } from '../linux/cgroup-usage.ts'
import { serveKernelThread } from '../linux/kernel-thread.ts'
import { spawnOps } from '../linux/spawn.ts'
import { networkOps } from '../network/index.ts'

keepCompiledCode()
serveKernelThread({ ...networkOps, ...spawnOps, ...usageOps })
