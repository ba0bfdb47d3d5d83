import { StatusError } from '../lib/errors.ts'

/** Layers of one mount (OVL_MAX_STACK in the kernel). */
export const MAX_LAYERS = 500
/** mount(2) copies one page of options, the last byte of it a NUL. */
const MAX_OPTION_BYTES = 4095

/**
 * Whatever the kernel's build or the module's parameters have as default:
 * - `index=off`: an index ties an upper directory to one set of layers and fails a mount that finds others, for the sake of
 *   NFS export and of hard links that survive a copy up. Docker and containerd turn it off as well.
 * - `redirect_dir=nofollow`, `metacopy=off`: layers never have redirects or metadata-only files (an archive cannot set
 *   them), so none is followed, and an upper directory holds plain files that can become a layer.
 * `xino` stays the kernel's `auto`. `userxattr` stays out: layers carry `trusted.overlay.*`.
 */
const FIXED = 'index=off,redirect_dir=nofollow,metacopy=off'

interface Directories {
  /** Top first. */
  readonly layers: readonly string[]
  /** Absent: a read-only view. */
  readonly upper?: string
  readonly work?: string
}

/** The option string; undefined if it does not fit a page. */
export function overlayOptions({ layers, upper, work }: Directories): string | undefined {
  let options = `${FIXED},lowerdir=${layers.map(escapeLayer).join(':')}`
  if (upper !== undefined && work !== undefined) options += `,upperdir=${escapePath(upper)},workdir=${escapePath(work)}`
  return Buffer.byteLength(options) <= MAX_OPTION_BYTES ? options : undefined
}

/** @throws {StatusError} `invalid_argument` */
export function assertLayerCount(count: number): void {
  if (count <= MAX_LAYERS) return
  throw new StatusError('invalid_argument', `An image may have ${MAX_LAYERS} layers at most; this one has ${count}`)
}

function escapePath(path: string): string {
  return path.replace(/[\\,]/g, '\\$&')
}

function escapeLayer(path: string): string {
  return path.replace(/[\\,:]/g, '\\$&')
}
