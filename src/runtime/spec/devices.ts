import { constants, readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { StatusError, systemCode } from '../../lib/errors.ts'
import { AT_FDCWD, bytePath, lstatat } from '../../linux/at-calls.ts'
import type { Device } from '../../model/container.ts'
import type { OciDevice } from './oci-types.ts'

const { S_IFMT, S_IFCHR, S_IFBLK, S_IFDIR } = constants
/** Of the host's /dev, what each container has of its own. */
const OWN = new Set(['console', 'fd', 'mqueue', 'ptmx', 'pts', 'shm', 'stderr', 'stdin', 'stdout', '.lxc', '.udev'])

export type GivenDevice = OciDevice & { readonly access: string }

/**
 * The device nodes for what was asked for, as they are on the host now; all below a directory.
 * @throws {StatusError} `invalid_argument` for what is no device, or is not there
 */
export function givenDevices(devices: readonly Device[]): GivenDevice[] {
  return devices.flatMap(({ source, destination, access }) => {
    const found = devicesAt(realPath(source), destination)
    if (found.length > 0) return found.map((device) => ({ ...device, access }))
    throw new StatusError(
      'invalid_argument',
      `Cannot give device "${source}": it is not a device, nor a directory of any`,
    )
  })
}

/** Every device node of the host, for a privileged container. */
export function allDevices(): OciDevice[] {
  return readdirSync('/dev')
    .filter((name) => !OWN.has(name))
    .flatMap((name) => devicesAt(join('/dev', name), join('/dev', name)))
}

function devicesAt(source: string, destination: string): OciDevice[] {
  const stat = lstatat(AT_FDCWD, bytePath(source))
  if (typeof stat === 'number') return []
  const type = stat.mode & S_IFMT
  if (type === S_IFDIR) {
    return readdirSync(source).flatMap((name) => devicesAt(join(source, name), join(destination, name)))
  }
  if (type !== S_IFCHR && type !== S_IFBLK) return []
  const { major, minor, uid, gid } = stat
  return [
    { path: destination, type: type === S_IFCHR ? 'c' : 'b', major, minor, fileMode: stat.mode & 0o7777, uid, gid },
  ]
}

function realPath(source: string): string {
  try {
    return realpathSync(source)
  } catch (cause) {
    if (systemCode(cause) !== 'ENOENT' && systemCode(cause) !== 'ENOTDIR') throw cause
    throw new StatusError('invalid_argument', `Cannot give device "${source}": this host does not have it`, { cause })
  }
}
