import type { FileTime } from '../file-time.ts'

export type TarEntryType = 'file' | 'directory' | 'symlink' | 'link' | 'character' | 'block' | 'fifo'

/** One file of an archive. Paths are byte strings (see linux/at-calls.ts), as the archive has them: not to be trusted. */
export interface TarEntry {
  readonly path: string
  readonly type: TarEntryType
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtime: FileTime
  /** The file's length, holes included. 0 for all but files. */
  readonly size: number
  /** Of symlinks and hard links, else empty. */
  readonly linkPath: string
  /** Of device nodes, else 0. */
  readonly major: number
  readonly minor: number
  readonly xattrs: ReadonlyMap<string, Buffer> | undefined
}

/** What a TarParser calls, in order: `entry`, its `data` if it is a file with any, `endEntry`. */
export interface TarSink {
  entry(entry: TarEntry): void
  /** `chunk[start..end)` belongs at `position` of the file; what no call covers is a hole. The chunk may be reused later. */
  data(chunk: Buffer, start: number, end: number, position: number): void
  endEntry(): void
}
