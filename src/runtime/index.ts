/**
 * Runs containers: config.json (./spec) and one adapter interface over what runs it, crun or runc under conmon.
 *
 * It guarantees: a container outlives the daemon; its exit is reported once, within ms, with the code its process
 * ended with, or as lost; nothing of the daemon's environment or descriptors is inside; `delete` leaves nothing,
 * whatever was half done.
 */

export type { Usage } from '../linux/cgroup-usage.ts'
export type { LinkCounters } from '../linux/net-dev.ts'
export { openProcessRoot } from '../linux/process-root.ts'
export { type ProcessRow, TICKS_PER_SECOND } from '../linux/process-table.ts'
export { hasIncomingConnections } from '../linux/tcp-connections.ts'
export { hasAppArmorProfile, loadAppArmorProfile } from './apparmor.ts'
export { createRuntime, type RuntimeOptions } from './conmon-runtime.ts'
export { endTree } from './end-tree.ts'
export { NamespaceHandles } from './namespace-handles.ts'
export { findInit, findPause, type RuntimeChoice } from './oci-runtime.ts'
export { propagationOf } from './propagation.ts'
export { exitCodeOfFailure } from './runtime-message.ts'
export { mountSharedMemory, unmountSharedMemory } from './shared-memory.ts'
export {
  containerCapabilities,
  givenDevices,
  type HostFacts,
  hostLines,
  hostnameFile,
  hostsFile,
  type OciLimits,
  type OciProcess,
  type OciSpec,
  type OciSpecInput,
  ociExecProcess,
  ociLimits,
  ociSpec,
  type RenderedSeccomp,
  resolvConfFile,
  resolveUser,
  seccompProfiles,
} from './spec/index.ts'
export type {
  ContainerExit,
  CreatedProcess,
  CreateInput,
  ExecExit,
  ExecInput,
  OutputStream,
  Recovered,
  Runtime,
  RuntimeAttach,
  RuntimeExec,
  RuntimeParts,
} from './types.ts'
