import { existsSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * A layer below those of every image, with what a runtime mounts something on: what the image has of it is seen instead.
 * Without it each start would make these in the container's own directory, and each removal remove them.
 */
export const MOUNT_POINTS_LAYER = '.points'

const DIRECTORIES = ['dev', 'proc', 'sys', 'etc']
const FILES = ['etc/hosts', 'etc/hostname', 'etc/resolv.conf']

/** Makes it if it is not there, whole or not at all. */
export async function ensureMountPoints(layersDir: string): Promise<void> {
  const layer = join(layersDir, MOUNT_POINTS_LAYER)
  if (existsSync(layer)) return
  const draft = `${layer}.new`
  await rm(draft, { recursive: true, force: true })
  for (const directory of DIRECTORIES) await mkdir(join(draft, directory), { recursive: true, mode: 0o755 })
  for (const file of FILES) await writeFile(join(draft, file), '', { mode: 0o644 })
  await rename(draft, layer)
}
