/**
 * Images: what comes from registries and archives, under its names, ready to be a root filesystem.
 *
 * Guarantees: every byte is verified against the digest that asked for it. An Image record exists only while all of its
 * layers are unpacked and on disk. A layer is stored once, whoever shares it, and pulled once when pulls race. What
 * no image, container or running pull needs is removed, nothing else is. A pull that was broken off loses nothing that
 * was verified; one that met false content leaves nothing. What is saved or pushed is byte for byte what came.
 */
export { pullSecretAuth } from '../registry/index.ts'
export type { ImagePolicy } from './deps.ts'
export type { ImagesDiskUsage, SpaceUsed } from './disk-usage.ts'
export type { HistoryEntry } from './history.ts'
export { createImages, type ImagesOptions } from './images.ts'
export type { ImageLease } from './lease.ts'
export type { LayerProgress, PullProgress } from './progress.ts'
export type { SaveFormat } from './save.ts'
export type { ImageDetails, ImageStatus, ImageUsage } from './status.ts'
export type { ImageFilter, Images, LoadOptions, PullOptions } from './types.ts'
