/**
 * Layers and the overlay filesystems made of them.
 *
 * A layer is a directory in overlayfs's own format. Layers are unpacked side by side, each without knowing what it will lie on;
 * `commit`, in order, settles what depends on that. Archives are not trusted: whatever they say, nothing outside their
 * layer's directory is touched. What is unpacked is on disk for good after `sync`; who needs which layer is `images`'
 * business.
 */
export type { PathStat } from './find-node.ts'
export { VOLUME_DATA } from './seed-volume.ts'
export { openSnapshots, type Snapshots, type SnapshotsOptions } from './snapshots.ts'
export type { UnpackInput } from './unpack-layer.ts'
export type { Unpacked } from './unpacked.ts'
export { bindWithin, mountMemory, mountsBelow } from './volume-mounts.ts'
