import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { namesIn } from '../lib/names-in.ts'
import { type CheckedFinding, type Fault, settleFaults } from '../model/finding.ts'
import { shortId } from '../model/names.ts'
import type { Deps } from './deps.ts'

/** What is of a bottle that is gone. What runs is left alone: a user may remove it. */
export async function checkBottles({ store, directory }: Deps, repair: boolean): Promise<CheckedFinding[]> {
  // Before the records: a new bottle has its own first.
  const directories = await namesIn(directory)
  const { bottles, containers } = store.read((tx) => ({
    bottles: new Set(tx.list('Bottle').map(({ metadata }) => metadata.uid)),
    containers: tx.list('Container').filter(({ metadata }) => metadata.owner?.kind === 'Bottle'),
  }))
  const known = new Set([...bottles].map(shortId))
  const faults = [
    ...containers
      .filter(({ metadata }) => !bottles.has(metadata.owner!.uid))
      .map(
        ({ metadata: { uid, name } }): Fault => ({
          part: 'container',
          subject: `container ${name}`,
          problem: 'the bottle that it belongs to is gone',
          containerId: uid,
          advice: `remove it: raind rm -f ${name}`,
        }),
      ),
    ...directories
      .filter((name) => !known.has(name))
      .map(
        (name): Fault => ({
          part: 'file',
          subject: join(directory, name),
          problem: 'the bottle that it belongs to is gone',
          mend: () => rm(join(directory, name), { recursive: true, force: true }),
        }),
      ),
  ]
  return await settleFaults(faults, repair)
}
