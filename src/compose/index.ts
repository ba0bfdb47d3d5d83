/**
 * Reads Compose projects (the Compose specification, as docker compose has it) and bottle files of the original, and says
 * what bottles they are.
 *
 * Pure: files are read by a function that is passed in, so that the client reads what the daemon must not. All that is
 * wrong is told at once, with file, line and path; a key that is known and not honoured is a warning, never silence.
 */
import type { BottleManifest } from '../model/bottle.ts'
import { isBottleTree, readBottleFile } from './bottle-file.ts'
import { sentenceOf, throwFaults } from './faults.ts'
import type { ComposeProject } from './project.ts'
import { readTrees } from './read-yaml.ts'
import { type ComposeSource, type ResolvedProject, resolve, withDollars } from './resolve.ts'
import { toManifest } from './to-manifest.ts'

export { parseEnvFile } from './env-file.ts'

/** What a text says, and what of it is not honoured. */
export interface BottleReading {
  readonly manifest: BottleManifest
  readonly warnings: readonly string[]
}

/**
 * A project merged, with its variables replaced, paths absolute and files inlined: as JSON it is again a Compose file (each
 * `$` as `$$`). @throws {StatusError} `invalid_argument`
 */
export function resolveProject(source: ComposeSource): ResolvedProject {
  return resolve(source)
}

/** What a resolved project says. @throws {StatusError} `invalid_argument` */
export function bottleOf(project: ComposeProject): BottleReading {
  const { manifest, faults, warnings } = toManifest(withDollars(project, '$$', '$') as ComposeProject)
  throwFaults(faults)
  return { manifest, warnings: warnings.map(sentenceOf) }
}

/** Whether a text is a bottle file of the original. @throws {StatusError} `invalid_argument` if it cannot be read */
export function isBottleFile(text: string, name = 'bottle file'): boolean {
  return readTrees(text, name).some(isBottleTree)
}

/**
 * The text of a request: a bottle file, or a Compose file without variables that are set and without further files.
 * @throws {StatusError} `invalid_argument`
 */
export function readBottleText(text: string): BottleReading {
  const trees = readTrees(text, 'the text')
  const [first] = trees
  if (first !== undefined && trees.length === 1 && isBottleTree(first)) {
    const { manifest, warnings } = readBottleFile(first)
    return { manifest, warnings: warnings.map(sentenceOf) }
  }
  const { project, warnings } = resolve({ files: [{ name: 'the text', text }], variables: () => undefined })
  const read = bottleOf(project)
  return { manifest: read.manifest, warnings: [...warnings, ...read.warnings] }
}
