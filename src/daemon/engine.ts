import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Containers,
  containerPaths,
  createContainers,
  type Deps,
  ExitWaiters,
  ensureDefaultNetwork,
} from '../containers/index.ts'
import { openContent } from '../content/index.ts'
import { createImages, type Images } from '../images/index.ts'
import type { Ctx } from '../lib/ctx.ts'
import { KeyedLock } from '../lib/keyed-lock.ts'
import { lockFile } from '../linux/flock.ts'
import { startKernelThread } from '../linux/kernel-thread.ts'
import { createNetwork } from '../network/index.ts'
import { createRegistryClient } from '../registry/index.ts'
import { createRuntime, type Runtime, seccompProfiles } from '../runtime/index.ts'
import { openSnapshots } from '../snapshots/index.ts'
import { openStore } from '../store/index.ts'
import type { Config } from './config.ts'

/** The two doors of the core, put together and recovered; disposing leaves containers running. */
export interface Engine extends AsyncDisposable {
  readonly images: Images
  readonly containers: Containers
  readonly runtime: Runtime
}
