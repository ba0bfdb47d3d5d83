/**
 * The loops that make the world what the objects say, and the runner they share.
 *
 * Guarantees: a controller sees every object at its start and every change after, one reconcile a key at a time, and
 * what fails is tried again. Commits wake it; nothing polls.
 */
export { dnsController } from './dns.ts'
export { garbageController } from './garbage.ts'
export { healthController } from './health.ts'
export { namespaceController } from './namespace.ts'
export { evictionController } from './pod/eviction.ts'
export { type PodDeps, podController } from './pod/pod.ts'
export { PodProbes } from './pod/probes.ts'
export { podProbesController } from './pod/probes-controller.ts'
export { replicaSetController } from './replica-set.ts'
export { restartController } from './restart.ts'
export { type RunnerOptions, runControllers } from './runner.ts'
export { serviceController } from './service.ts'
export { servicePortsController } from './service-ports.ts'
export type { Controller, Requeue, Triggers } from './types.ts'
