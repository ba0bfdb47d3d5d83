import { setImmediate as nextTurn } from 'node:timers/promises'
import { onNobodysBehalf } from '../lib/asked-by.ts'
import type { Ctx } from '../lib/ctx.ts'
import { hasCode } from '../lib/errors.ts'
import type { CheckedFinding } from '../model/finding.ts'
import { attachContainer, resizeTerminal } from './attach.ts'
import { checkContainers } from './check.ts'
import { connectContainer, disconnectContainer } from './connect.ts'
import { createContainer } from './create.ts'
import { createNetwork, removeNetwork } from './create-network.ts'
import type { Deps } from './deps.ts'
import { Execs } from './exec.ts'
import { createExec, startExec } from './exec-events.ts'
import { cleanUpAfterExit } from './exit.ts'
import { containerFiles } from './files.ts'
import { findContainer } from './find.ts'
import { followContainerLog } from './follow-log.ts'
import { guardNetworks } from './guard-networks.ts'
import { HealthProbes } from './health.ts'
import { listContainers, listNetworks } from './list.ts'
import { readLogTail } from './log-reader.ts'
import { ownedContainers } from './owned-containers.ts'
import { pauseContainer, unpauseContainer } from './pause.ts'
import { podContainers } from './pod-containers.ts'
import { probeTurns } from './probe.ts'
import { pruneContainers, pruneNetworks } from './prune.ts'
import { type ProcessExit, recordExit } from './record-exit.ts'
import { recoverContainers, recoverLinks } from './recover.ts'
import { removeByRef } from './remove.ts'
import { renameContainer } from './rename.ts'
import { restartContainer } from './restart.ts'
import { restartDue } from './restart-due.ts'
import { startContainer } from './start.ts'
import { sampledOf } from './stats.ts'
import { endUnhealthy, killContainer, stopContainer } from './stop.ts'
import { topContainer } from './top.ts'
import type { Containers } from './types.ts'
import { updateContainer } from './update.ts'
import { allUsage } from './usage.ts'
import { UsageSampler } from './usage-sampler.ts'
import { createVolumes } from './volume-verbs.ts'
import { waitContainer } from './wait.ts'

/** How long after an end that the store could not take. */
const RECORD_AGAIN_MS = 1000

/** The engine's verbs on containers, over the parts given. `ctx` is the daemon's: clean-up after exits runs in it. */
export function createContainers(ctx: Ctx, deps: Deps): Containers {
  const { store } = deps
  const execs = new Execs()
  const turns = probeTurns()
  const health = new HealthProbes(ctx, deps, turns)
  const sampler = new UsageSampler(ctx, deps)
  /** Due after the ends of containers, by id. */
  const cleanUps = new Map<string, Promise<void>>()

  let guard: Disposable | undefined
  let problems: readonly CheckedFinding[] = []
  const exited = (exit: ProcessExit) => {
    if (recordExit(deps, exit) === undefined) return
    // Who waits to hear of it comes first.
    const task = nextTurn()
      .then(() => cleanUpAfterExit(ctx, deps, exit.id))
      .catch((error) => deps.log.error('clean-up after an exit failed', { containerId: exit.id, error }))
      .finally(() => {
        if (cleanUps.get(exit.id) === task) cleanUps.delete(exit.id)
      })
    cleanUps.set(exit.id, task)
  }
  /** On a disk that is full the store cannot take it: the container is shown as running until it can. */
  const tell = (exit: ProcessExit) => {
    try {
      exited(exit)
    } catch (error) {
      if (!hasCode(error, 'resource_exhausted') || ctx.signal.aborted) throw error
      deps.log.error('the end of a container cannot be recorded; trying again', { containerId: exit.id, error })
      setTimeout(() => onNobodysBehalf(() => tell(exit)), RECORD_AGAIN_MS).unref()
    }
  }
  deps.runtime.onExit((exit) => onNobodysBehalf(() => tell(exit)))

  return {
    create: (ctx, request) => createContainer(ctx, deps, request),
    start: (ctx, ref) => startContainer(ctx, deps, ref),
    stop: (ctx, ref, options = {}) => stopContainer(ctx, deps, ref, options),
    restart: (ctx, ref, options = {}) => restartContainer(ctx, deps, ref, options),
    endUnhealthy: (ctx, id) => endUnhealthy(ctx, deps, id),
    syncHealth: (id) => health.sync(id),
    healthReport: (container) => health.report(container),
    restartDue: (ctx, id) => restartDue(ctx, deps, id),
    kill: (_ctx, ref, signal) => killContainer(deps, ref, signal),
    pause: (ctx, ref) => pauseContainer(ctx, deps, ref),
    unpause: (ctx, ref) => unpauseContainer(ctx, deps, ref),
    rename: (ctx, ref, name) => renameContainer(ctx, deps, ref, name),
    update: (ctx, ref, changes) => updateContainer(ctx, deps, ref, changes),
    wait: (ctx, ref) => waitContainer(ctx, deps, ref),
    remove: (ctx, ref, options = {}) => removeByRef(ctx, deps, ref, options),
    find: (ref) => store.read((tx) => findContainer(tx, ref)),
    prune: (ctx, filter = {}) => pruneContainers(ctx, deps, filter),
    usage: (ctx) => allUsage(ctx, deps),
    list: (filter = {}) => listContainers(deps, filter),
    sandboxOf: ({ spec }) => store.read((tx) => tx.getByUid('Sandbox', spec.sandboxId))!,
    sandboxes: () => new Map(store.read((tx) => tx.list('Sandbox')).map((sandbox) => [sandbox.metadata.uid, sandbox])),
    networks: (filter = {}) => listNetworks(store, filter),
    createNetwork: (ctx, request) => createNetwork(ctx, deps, request),
    removeNetwork: (ctx, name) => removeNetwork(ctx, deps, name),
    pruneNetworks: (ctx, filter = {}) => pruneNetworks(ctx, deps, filter),
    connect: (ctx, ref, request) => connectContainer(ctx, deps, ref, request),
    disconnect: (ctx, ref, network) => disconnectContainer(ctx, deps, ref, network),
    readLog: async (ctx, ref, options) => {
      const { metadata } = store.read((tx) => findContainer(tx, ref))
      return readLogTail(ctx, deps.paths.log(metadata.uid), options)
    },
    logPath: (ref) => deps.paths.log(store.read((tx) => findContainer(tx, ref)).metadata.uid),
    createExec: (ctx, ref, options) => createExec(ctx, deps, execs, ref, options),
    startExec: (ctx, execId) => startExec(ctx, deps, execs, execId),
    volumes: createVolumes(deps),
    pods: podContainers(deps, turns),
    owned: ownedContainers(deps),
    takeBegunExec: (execId) => execs.takeBegun(execId),
    startUnclaimedExec: async (ctx, execId) => execs.keepUnclaimed(execId, await startExec(ctx, deps, execs, execId)),
    takeUnclaimedExec: (ref) => execs.takeUnclaimed(deps, ref),
    resizeExec: (execId, size) => execs.resize(execId, size),
    signalExec: (execId, signal) => execs.signal(execId, signal),
    attach: (ctx, ref, options) => attachContainer(ctx, deps, ref, options),
    resize: (_ctx, ref, size) => resizeTerminal(deps, ref, size),
    followLog: (ctx, ref, options) => followContainerLog(ctx, deps, ref, options),
    files: containerFiles(deps),
    top: (ref) => topContainer(deps, ref),
    findExec: (execId) => execs.record(execId),
    startDurations: () => deps.starts.data(),
    stats: async (refs) => sampler.look(sampledOf(store, refs)),
    followStats: (ctx, refs) => sampler.follow(ctx, sampledOf(store, refs)),
    async recover(ctx) {
      await recoverContainers(ctx, deps)
      guard = await guardNetworks(ctx, deps)
    },
    recoverLinks: (ctx) => recoverLinks(ctx, deps),
    async check(ctx, { repair = false } = {}) {
      const findings = await checkContainers(ctx, deps, cleanUps, repair)
      problems = findings.filter(({ mended }) => !mended)
      return findings
    },
    problems: () => problems,
    async [Symbol.asyncDispose]() {
      guard?.[Symbol.dispose]()
      execs[Symbol.dispose]()
      await health[Symbol.asyncDispose]()
      await Promise.all(cleanUps.values())
    },
  }
}
