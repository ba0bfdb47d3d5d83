/**
 * What a container's process gets to see and may do: config.json with Docker's default sandbox, the seccomp profile,
 * the user of an image, and the files of /etc that the host provides. All of it is pure but `readHostFacts`,
 * `resolveUser` (reads the image's files, safely), `ociSpec` (asks whether what is bound read-only is a file) and
 * `seccompProfiles` (compiles with libseccomp).
 */
export { containerCapabilities } from './capabilities.ts'
export { givenDevices } from './devices.ts'
export { encodeOci } from './encode-oci.ts'
export { type HostEntry, hostLines, hostnameFile, hostsFile, resolvConfFile } from './etc-files.ts'
export { type HostFacts, readHostFacts } from './host-facts.ts'
export { type OciExecProcessInput, type OciProcessInput, ociExecProcess } from './oci-process.ts'
export { type OciSpecInput, ociSpec } from './oci-spec.ts'
export type { OciLimits, OciLinux, OciMount, OciProcess, OciResources, OciSpec } from './oci-types.ts'
export { type ResolvedUser, resolveUser } from './resolve-user.ts'
export { ociLimits } from './resources.ts'
export { type RenderedSeccomp, type SeccompConditions, seccompProfiles } from './seccomp.ts'
