/**
 * What unpacking a layer leaves to `commit`: all that depends on the layers below it. A plain value, so that it can cross
 * threads. Paths are real ones below the layer's root, as byte strings; the root is the empty string.
 */
export interface Unpacked {
  /** Its name below the layers' directory. */
  readonly directory: string
  /** Directories that the archive does not describe, each before those below it. */
  readonly impliedDirectories: readonly string[]
  /** Hard links to files that are not in this layer, in the archive's order. */
  readonly pendingLinks: readonly PendingLink[]
  /** Whiteouts, to be dropped where nothing below needs them: overlayfs lists them in a directory that it does not merge. */
  readonly whiteouts: readonly string[]
  /** The archive hides everything below it, which overlayfs cannot be told of a root. */
  readonly opaqueRoot: boolean
  readonly entries: number
  /** Disk space taken, nearly. */
  readonly usedBytes: number
  /** What is left of `maxBytes`. */
  readonly bytesLeft: number
}

export interface PendingLink {
  readonly path: string
  readonly target: string
}
