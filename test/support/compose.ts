import { bottleOf, type ComposeProject, type ComposeSource, resolveProject } from '../../src/compose/index.ts'
import type { BottleService, BottleSpec } from '../../src/model/bottle.ts'

export interface Given extends Partial<Omit<ComposeSource, 'variables' | 'readFile' | 'files'>> {
  readonly variables?: Readonly<Record<string, string>>
  /** By absolute path. */
  readonly disk?: Readonly<Record<string, string>>
}

export interface Read {
  readonly project: ComposeProject
  readonly spec: BottleSpec
  readonly warnings: readonly string[]
}

/** One or more Compose files, in a directory `/srv/shop`, resolved and read. */
export function read(texts: string | readonly string[], { variables = {}, disk, ...given }: Given = {}): Read {
  const files = [texts]
    .flat()
    .map((text, index) => ({ name: index === 0 ? 'compose.yaml' : `over${index}.yaml`, text }))
  const { project, warnings } = resolveProject({
    files,
    directory: '/srv/shop',
    variables: (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined),
    ...(disk !== undefined && { readFile: (path) => fileOf(disk, path) }),
    ...given,
  })
  const bottle = bottleOf(project)
  return { project, spec: bottle.manifest.spec, warnings: [...warnings, ...bottle.warnings] }
}

function fileOf(disk: Readonly<Record<string, string>>, path: string): string {
  if (Object.hasOwn(disk, path)) return disk[path]!
  throw Object.assign(new Error(`ENOENT: no such file, open '${path}'`), { code: 'ENOENT' })
}

/** What lines of a service `web` say; `rest` stands beside `services`. Its dependencies are `db` and `cache`. */
export function webOf(lines: string, rest = '', given?: Given): BottleService {
  return read(withWeb(lines, rest), given).spec.services['web']!
}

export function warningsOf(lines: string, rest = '', given?: Given): readonly string[] {
  return read(withWeb(lines, rest), given).warnings
}

/** A file that begins with the lines of `web`, from line 4. */
export function withWeb(lines: string, rest = ''): string {
  const own = lines
    .trim()
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')
  return `services:\n  web:\n    image: nginx\n${own}\n  db: {image: postgres}\n  cache: {image: redis}\n${rest}\n`
}
