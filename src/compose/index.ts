/**
 * Compose projects, and the bottle files of the original of Raind, as what bottles are made of (model/bottle.ts).
 *
 * A project is read in two steps, since only a client has its files and its variables, and only a daemon makes anything
 * of it: `resolveProject` merges all files to one that needs no other, which is a Compose file again; `bottleOf` says
 * what that means. `readBottleText` is both, of a text that must do without files and variables.
 *
 * Pure: nothing is read but through the `readFile` that is given. What is at fault is `invalid_argument`, tells up to ten
 * faults with file, line and path, and may be of any text whatever: sizes, nesting and what aliases, ranges and
 * `extends` multiply are bounded. What is done about each key is in keys.ts.
 *
 * It takes some 30 ms to load, so a client imports it when it needs it; and a second or two for a text of 1 MiB, so the daemon
 * reads large ones on a Worker (bottles/bottle-reader.ts).
 */
import type { BottleManifest } from '../model/bottle.ts'
import { parseEnvFile } from './env-file.ts'
import { sentenceOf, throwFaults } from './faults.ts'
import { isOriginal, readOriginal } from './original.ts'
import type { ComposeProject } from './project.ts'
import type { ComposeFile } from './read-parts.ts'
import { readTrees } from './read-yaml.ts'
import { type ComposeSource, type ResolvedProject, resolve, withDollars } from './resolve.ts'
import { toManifest } from './to-manifest.ts'

/** What a bottle is made of, and what of it is not as its file says. */
export interface ReadBottle {
  readonly manifest: BottleManifest
  readonly warnings: readonly string[]
}

/**
 * Merged, interpolated, with paths absolute and files inlined: plain JSON that is again a Compose file, with every `$` as
 * `$$`. Services of profiles that were not asked for are left out.
 * @throws {StatusError} `invalid_argument`, naming file, line and path; also for what `bottleOf` would refuse
 */
export function resolveProject(source: ComposeSource): ResolvedProject {
  return resolve(source)
}

/** What a resolved project says. @throws {StatusError} `invalid_argument`, naming the path */
export function bottleOf(project: ComposeProject): ReadBottle {
  const { manifest, faults, warnings } = toManifest(withDollars(project, '$$', '$') as ComposeProject)
  throwFaults(faults)
  return { manifest, warnings: warnings.map(sentenceOf) }
}

/** Whether a text is a bottle file of the original. @throws {StatusError} `invalid_argument` if it cannot be read */
export function isBottleFile(text: string, name: string): boolean {
  return text.includes('bottle') && readTrees(text, name).some(isOriginal)
}

const TEXT = 'the file'

/**
 * The text of a request: the original's bottle file, which has `bottle:` at its top, or a Compose file. There are no
 * variables and no other files.
 * @throws {StatusError} `invalid_argument`, naming line and path
 */
export function readBottleText(text: string): ReadBottle {
  const [first] = text.includes('bottle') ? readTrees(text, TEXT) : []
  if (first !== undefined && isOriginal(first)) return readOriginal(first)
  const resolved = resolve({ files: [{ name: TEXT, text }], variables: () => undefined })
  const { manifest, warnings } = bottleOf(resolved.project)
  return { manifest, warnings: [...resolved.warnings, ...warnings] }
}

export type { ComposeFile, ComposeProject, ComposeSource, ResolvedProject }
export { parseEnvFile }
