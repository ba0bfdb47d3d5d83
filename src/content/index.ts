/**
 * Blobs by digest, on disk.
 *
 * A blob is either whole, verified and durable under `blobs/sha256/<hex>`, or it is an ingest: the bytes of a
 * download so far under `ingest/<hex>`, which the next try hashes again and continues. Nothing here knows who needs
 * a blob: `images` decides what is removed.
 */
export { type Blob, type Content, openContent } from './content.ts'
export type { FetchFrom } from './ingest.ts'
