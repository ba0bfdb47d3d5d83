/** The wire of a container's files and processes. */
import { boolean, object, optional, string } from '../../lib/schema.ts'

/** In the header PATH_STAT, as base64 of JSON, where the body is a tar. */
export interface WirePathStat {
  /** `.` for a path that ends in one. */
  readonly name: string
  readonly sizeBytes: number
  /** With the file type, as stat(2) has it. */
  readonly mode: number
  readonly modifiedAt: string
  /** Of a symlink: where it leads, as an absolute path of the container; else empty. */
  readonly linkTarget: string
}

export const PATH_STAT = 'x-raind-path-stat'

export interface WireTop {
  readonly titles: readonly string[]
  readonly processes: readonly (readonly string[])[]
}

const path = string({ minLength: 1, maxLength: 4096 })

/** `follow`: a symlink at the path's end. */
export const archiveQuery = object({ path, follow: optional(boolean()) })
/** `noOverwriteDirNonDir`: a directory is not replaced by something else, nor something else by a directory. */
export const extractQuery = object({ path, noOverwriteDirNonDir: optional(boolean()) })
