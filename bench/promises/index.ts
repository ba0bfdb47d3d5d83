import type { Bench } from '../support/promise.ts'
import { boot } from './boot.ts'
import { bottles } from './bottles.ts'
import { coldPull } from './cold-pull.ts'
import { durability } from './durability.ts'
import { events } from './events.ts'
import { exec } from './exec.ts'
import { idlePods } from './idle-pods.ts'
import { list } from './list.ts'
import { attachFlood, execFlood, execTty, logFollowers } from './live-streams.ts'
import { containerMemory, daemonMemory } from './memory.ts'
import { parallelStarts } from './parallel-starts.ts'
import { podEvents } from './pod-events.ts'
import { pods } from './pods.ts'
import { publishedPort } from './published-port.ts'
import { raind } from './raind.ts'
import { requests } from './requests.ts'
import { runAgainstPodman } from './run-podman.ts'
import { serviceRate } from './service-rate.ts'
import { serviceRules } from './service-rules.ts'
import { startLatency } from './start.ts'
import { startAgainstDockerd, startAgainstPodman } from './start-peers.ts'
import { stopRemove } from './stop-remove.ts'

/** In the order of the table. */
export const benches: readonly Bench[] = [
  startLatency,
  durability,
  startAgainstPodman,
  startAgainstDockerd,
  runAgainstPodman,
  publishedPort,
  parallelStarts,
  bottles,
  pods,
  podEvents,
  serviceRules,
  serviceRate,
  idlePods,
  exec,
  execTty,
  attachFlood,
  execFlood,
  logFollowers,
  events,
  stopRemove,
  coldPull,
  list,
  requests,
  daemonMemory,
  containerMemory,
  boot,
  raind,
]
