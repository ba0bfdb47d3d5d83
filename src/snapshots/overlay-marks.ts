import { constants } from 'node:fs'
import { check, displayPath, type FileStat, mknodat } from '../linux/at-calls.ts'
import { lgetxattr, lsetxattr } from '../linux/xattr.ts'

/**
 * How a layer says what is gone from the layers below it. OCI archives use names (image-spec, layer.md#whiteouts);
 * overlayfs uses a character device 0:0 for a name, and an attribute for a directory that hides all below it.
 */
export const WHITEOUT_PREFIX = '.wh.'
/** Other names with this prefix are aufs's own and mean nothing here. */
export const WHITEOUT_META_PREFIX = '.wh..wh.'
export const OPAQUE_WHITEOUT = '.wh..wh..opq'

const OVERLAY_XATTRS = 'trusted.overlay.'
const OPAQUE = `${OVERLAY_XATTRS}opaque`

export function isWhiteout(stat: FileStat): boolean {
  return (stat.mode & constants.S_IFMT) === constants.S_IFCHR && stat.major === 0 && stat.minor === 0
}

export function makeWhiteout(directory: number, name: string): void {
  check(`whiteout ${displayPath(name)}`, mknodat(directory, name, constants.S_IFCHR, 0))
}

/** A path for the xattr calls that names `name` in an open directory, not following a symlink there. */
export function xattrPath(directory: number, name: string): string {
  return `/proc/self/fd/${directory}/${name === '' ? '.' : name}`
}

export function setOpaque(directory: number, name: string): void {
  check(`opaque ${displayPath(name)}`, lsetxattr(xattrPath(directory, name), OPAQUE, Buffer.from('y')))
}

export function isOpaque(directory: number, name: string): boolean {
  return lgetxattr(xattrPath(directory, name), OPAQUE)?.toString('latin1') === 'y'
}

/**
 * Whether a layer may set or inherit this attribute. Never overlay's own: they would let an archive redirect a directory or
 * hide what is below it. `security.*` beyond file capabilities is the host's policy (labels, IMA).
 */
export function isLayerXattr(name: string): boolean {
  if (name.startsWith(OVERLAY_XATTRS)) return false
  return (
    name.startsWith('user.') ||
    name.startsWith('trusted.') ||
    name === 'security.capability' ||
    name === 'system.posix_acl_access' ||
    name === 'system.posix_acl_default'
  )
}
