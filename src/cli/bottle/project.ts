import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { ReadBottle } from '../../compose/index.ts'
import type { FlagSpec, Flags } from '../command.ts'
import { CliError, usageError } from '../errors.ts'
import { readManifestFiles } from '../kube/manifest-files.ts'

/** What Compose looks for, and the original's; the first that is there. Beside it its override. */
const FILES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml', 'bottle.yaml', 'bottle.yml']
const OVERRIDES = [
  'compose.override.yaml',
  'compose.override.yml',
  'docker-compose.override.yaml',
  'docker-compose.override.yml',
]

export const PROJECT_FLAGS: Readonly<Record<string, FlagSpec>> = {
  file: {
    type: 'string',
    short: 'f',
    multiple: true,
    value: 'FILE',
    help: `a Compose file or a bottle file, or - for stdin; several are merged (default ${FILES[0]} ...)`,
  },
  'project-name': { type: 'string', short: 'p', value: 'BOTTLE', help: 'the name of the bottle, instead of its own' },
  'project-directory': {
    type: 'string',
    value: 'DIR',
    help: 'what relative paths are of (default: where the first file is)',
  },
  'env-file': { type: 'string', multiple: true, value: 'FILE', help: 'variables for the files (default .env)' },
  profile: { type: 'string', multiple: true, value: 'NAME', help: 'also the services of that profile' },
}

export interface ProjectText {
  /** For the daemon: the original's bottle file as it is, or a Compose project with nothing left to be replaced. */
  readonly text: string
  readonly name: string
  readonly warnings: readonly string[]
  readonly services: ReadBottle['manifest']['spec']['services']
}

/** The files that the flags name, put together. @throws {CliError} */
export async function readProject(flags: Flags, stdin: AsyncIterable<Uint8Array | string>): Promise<ProjectText> {
  const paths = flags.list('file').length > 0 ? flags.list('file') : defaultFiles()
  const files = await readManifestFiles(paths, { recursive: false, stdin })
  const { bottleOf, isBottleFile, readBottleText, resolveProject, parseEnvFile } = await import(
    '../../compose/index.ts'
  )
  const [first] = files
  if (first !== undefined && files.length === 1 && isBottleFile(first.text, first.name)) {
    const { manifest, warnings } = told(() => readBottleText(first.text))
    return { text: first.text, name: manifest.name, warnings, services: manifest.spec.services }
  }
  const directory = resolve(flags.text('project-directory') ?? (paths[0] === '-' ? '.' : dirname(paths[0]!)))
  const envFiles =
    flags.list('env-file').length > 0 ? flags.list('env-file') : [join(directory, '.env')].filter(existsSync)
  const ofShell = (name: string) => process.env[name]
  const known = new Map<string, string>()
  const variables = (name: string) => ofShell(name) ?? known.get(name)
  for (const file of envFiles) {
    for (const [name, value] of told(() => parseEnvFile(read(file), file, variables))) known.set(name, value)
  }
  const projectName = flags.text('project-name') ?? variables('COMPOSE_PROJECT_NAME')
  const profiles =
    flags.list('profile').length > 0 ? flags.list('profile') : (variables('COMPOSE_PROFILES')?.split(',') ?? [])
  const { project, warnings } = told(() =>
    resolveProject({ files, variables, directory, readFile: readText, profiles, ...(projectName && { projectName }) }),
  )
  const { services } = told(() => bottleOf(project)).manifest.spec
  return { text: JSON.stringify(project), name: project.name ?? basename(directory), warnings, services }
}

function defaultFiles(): string[] {
  const file = FILES.find((name) => existsSync(name))
  if (file === undefined) {
    throw usageError(`There is no ${FILES.join(', ')} here`, 'Give a file with -f FILE, or - for stdin')
  }
  const override = file.startsWith('bottle') ? undefined : OVERRIDES.find((name) => existsSync(name))
  return [file, ...(override === undefined ? [] : [override])]
}

function readText(path: string): string {
  return readFileSync(path, 'utf8')
}

function read(path: string): string {
  try {
    return readText(path)
  } catch (error) {
    throw new CliError(`Cannot read ${path}: ${(error as Error).message}`)
  }
}

function told<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof CliError ? error : new CliError((error as Error).message)
  }
}
