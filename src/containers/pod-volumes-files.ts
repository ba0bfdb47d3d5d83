import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { StatusError, systemCode } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'

/** A file of a volume that ConfigMaps and Secrets are shown in. */
export interface VolumeFile {
  /** Relative, below the volume's root. */
  readonly path: string
  readonly data: Buffer
  readonly mode: number
}

/** The symlink to the directory with the files as they are now; names that begin like it are the volume's own. */
const DATA = '..data'
const NEXT = '..data_tmp'
const OWN = '..'

/** With a group for the volume: what its members may do to a file, and to a directory, which hands the group on. */
const GROUP_READS = 0o440
const GROUP_DIRECTORY = 0o2755

/**
 * Makes the files of a volume what they are to be, all at once, as kubelet's AtomicWriter does: they are written into a new
 * directory, `..data` is led there by one rename, and each name in the volume's root is a symlink through `..data`. Who
 * reads several files in a directory that he has opened finds them from one version. Nothing is written if nothing
 * has changed; what an interrupted call has left is finished or removed by the next.
 *
 * @param gid the group that the files belong to; absent: root's
 * @throws {StatusError} `invalid_argument` for a path that is absolute, leads above, begins with `..`, or lies below a file
 */
export async function writeVolumeFiles(directory: string, files: readonly VolumeFile[], gid?: number): Promise<void> {
  assertPaths(files.map(({ path }) => path))
  const wanted = files.map((file) => ({ ...file, mode: gid === undefined ? file.mode : file.mode | GROUP_READS }))
  let current = await targetOf(join(directory, DATA))
  if (current === undefined || !(await holds(join(directory, current), wanted, gid))) {
    failpoint('pod-volumes.write')
    const draft = await mkdtemp(join(directory, `${OWN}${stamp()}.`))
    await writeAll(draft, wanted, gid)
    await rm(join(directory, NEXT), { force: true })
    await symlink(basename(draft), join(directory, NEXT))
    failpoint('pod-volumes.switch')
    await rename(join(directory, NEXT), join(directory, DATA))
    current = basename(draft)
  }
  const names = new Set(files.map(({ path }) => path.split('/')[0]!))
  for (const name of names) await ensureLink(directory, name)
  failpoint('pod-volumes.tidy')
  for (const name of await readdir(directory)) {
    if (name === DATA || name === current || names.has(name)) continue
    await rm(join(directory, name), { recursive: true, force: true })
  }
}

/** @throws {StatusError} `invalid_argument` */
function assertPaths(paths: readonly string[]): void {
  const all = new Set(paths)
  for (const path of paths) {
    const refuse = (problem: string) => {
      throw new StatusError('invalid_argument', `Cannot write "${path.slice(0, 200)}" into the volume: ${problem}`)
    }
    const names = path.split('/')
    if (names.some((name) => ['', '.', '..'].includes(name)) || path.startsWith(OWN) || path.includes('\0')) {
      refuse('it must be relative, without "..", and not begin with ".."')
    }
    const above = names.slice(0, -1).map((_, depth) => names.slice(0, depth + 1).join('/'))
    const file = above.find((parent) => all.has(parent))
    if (file !== undefined) refuse(`"${file}" is a file`)
  }
}

async function writeAll(directory: string, files: readonly VolumeFile[], gid: number | undefined): Promise<void> {
  const directories = new Set([directory])
  for (const { path, data, mode } of files) {
    const file = join(directory, path)
    const made = await mkdir(dirname(file), { recursive: true })
    for (let above = dirname(file); made !== undefined && above !== dirname(made); above = dirname(above)) {
      directories.add(above)
    }
    await writeFile(file, data, { flag: 'wx', mode: 0o600 })
    if (gid !== undefined) await chown(file, process.getuid!(), gid)
    await chmod(file, mode)
  }
  for (const one of directories) {
    if (gid !== undefined) await chown(one, process.getuid!(), gid)
    await chmod(one, gid === undefined ? 0o755 : GROUP_DIRECTORY)
  }
}

/** Whether a directory has exactly these files. */
async function holds(directory: string, files: readonly VolumeFile[], gid: number | undefined): Promise<boolean> {
  const there = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])
  if (there.filter((entry) => !entry.isDirectory()).length !== files.length) return false
  for (const { path, data, mode } of files) {
    const file = join(directory, path)
    const found = await lstat(file).catch(() => undefined)
    if (!found?.isFile() || found.size !== data.length || (found.mode & 0o7777) !== mode) return false
    if (gid !== undefined && found.gid !== gid) return false
    if (!data.equals(await readFile(file))) return false
  }
  return true
}

async function ensureLink(directory: string, name: string): Promise<void> {
  const link = join(directory, name)
  const target = `${DATA}/${name}`
  if ((await targetOf(link)) === target) return
  await rm(link, { recursive: true, force: true })
  await symlink(target, link)
}

/** Undefined for what is no symlink. */
async function targetOf(link: string): Promise<string | undefined> {
  try {
    return await readlink(link)
  } catch (error) {
    if (['ENOENT', 'EINVAL'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}

/** `2025_01_31_12_00_00`. */
function stamp(): string {
  return new Date().toISOString().slice(0, 19).replace(/\D/g, '_')
}
