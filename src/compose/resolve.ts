import { isObject } from '../lib/is-object.ts'
import { parseEnvFile, parseRawEnvFile } from './env-file.ts'
import { type Fault, quoted, sentenceOf } from './faults.ts'
import { interpolate, type Variables } from './interpolate.ts'
import { loadFiles } from './load.ts'
import { Loading } from './loading.ts'
import { withoutMarks } from './merge.ts'
import type { ComposeProject } from './project.ts'
import { NAME, NAME_RULE, nameOfDirectory } from './project-name.ts'
import type { ComposeFile } from './read-parts.ts'
import { readTrees } from './read-yaml.ts'
import { toManifest } from './to-manifest.ts'
import {
  isMap,
  listOf,
  mapEntries,
  mapOf,
  type Path,
  placeAt,
  plainOf,
  type Tree,
  textOf,
  valued,
  withEntries,
} from './tree.ts'
import { schemaFaults } from './validate.ts'

/** What a project is made of. */
export interface ComposeSource {
  /** Merged in order: later ones win. */
  readonly files: readonly ComposeFile[]
  /** The shell's over those of .env: for interpolation, and for what `environment` names without a value. */
  readonly variables: Variables
  /** Absolute; relative paths of the host are of it. Absent: they are errors. */
  readonly directory?: string
  /** For what files name: env_file, include, the files of `extends`, seccomp profiles. Absent: they are errors. */
  readonly readFile?: (path: string) => string
  /** Wins over `name:`. */
  readonly projectName?: string
  /** Services that have others, and none of these, are left out. */
  readonly profiles?: readonly string[]
}

export interface ResolvedProject {
  readonly project: ComposeProject
  readonly warnings: readonly string[]
}

/** See index.ts. */
export function resolve(source: ComposeSource): ResolvedProject {
  const { files, directory, readFile, profiles = [] } = source
  const loading = new Loading(readFile)
  if (files.length === 0) loading.refuse({ path: [], problem: 'there is no file' })
  const variables = withProjectName(source)
  const around = { variables, directory: { path: directory, home: variables('HOME') }, includedBy: [] }
  const merged = withoutMarks(loadFiles(files, around, loading))
  const active = withoutInactive(merged, profiles, loading.faults)
  const root = withFilesRead(withEntries(active, { name: projectName(active, source, loading) }), variables, loading)
  loading.throw()
  loading.weigh(root)
  loading.faults.push(...schemaFaults(root))
  loading.throw()
  const project = plainOf(root) as unknown as ComposeProject
  // What this finds is told with its line here; whoever is sent the project has none.
  loading.faults.push(...toManifest(project).faults.map((fault) => ({ ...fault, place: placeAt(root, fault.path) })))
  loading.throw()
  return { project: withDollars(project, '$', '$$') as ComposeProject, warnings: loading.warnings.map(sentenceOf) }
}

/** Each `$` of all values as `$$`, or the other way round. */
export function withDollars(value: unknown, from: '$' | '$$', to: '$' | '$$'): unknown {
  if (typeof value === 'string') return value.split(from).join(to)
  if (Array.isArray(value)) return value.map((item) => withDollars(item, from, to))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withDollars(entry, from, to)]))
}

/** COMPOSE_PROJECT_NAME is there for interpolation, also of the name itself as far as that can be. */
function withProjectName({ files, variables, projectName: asked, directory = '' }: ComposeSource): Variables {
  const nameOnce = once(() => {
    const trees = files.flatMap(({ name, text }) => readTrees(text, name))
    const declared = trees.map((tree) => textOf(mapOf(tree).get('name'))).findLast((name) => name !== undefined)
    return asked ?? (declared === undefined ? nameOfDirectory(directory) : interpolate(declared, variables))
  })
  return (name) => variables(name) ?? (name === 'COMPOSE_PROJECT_NAME' ? nameOnce() : undefined)
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

function projectName(root: Tree, { projectName: asked, directory = '' }: ComposeSource, { faults }: Loading): Tree {
  const declared = mapOf(root).get('name')
  const tree = asked === undefined ? (declared ?? valued(root, nameOfDirectory(directory))) : valued(root, asked)
  const name = textOf(tree) ?? ''
  const problem = name === '' ? 'is missing' : `is ${quoted(name)}, which is no name of a project`
  if (!NAME.test(name)) faults.push({ path: ['name'], place: tree.place, problem: `${problem}: ${NAME_RULE}` })
  return tree
}

function withoutInactive(root: Tree, profiles: readonly string[], faults: Fault[]): Tree {
  const services = mapOf(root).get('services')
  if (!isMap(services)) return root
  const isActive = (service: Tree) => {
    const own = listOf(mapOf(service).get('profiles')).map(textOf)
    return (
      own.length === 0 ||
      own.some((profile) => profile !== undefined && profiles.includes(profile)) ||
      profiles.includes('*')
    )
  }
  const inactive = new Set([...services.value].flatMap(([name, service]) => (isActive(service) ? [] : [name])))
  const active = mapEntries(services, (service, name) => {
    if (inactive.has(name)) return undefined
    const wanted = mapOf(service).get('depends_on')
    const dependencies =
      wanted &&
      mapEntries(wanted, (dependency, other) => {
        if (!inactive.has(other)) return dependency
        const isRequired = textOf(mapOf(dependency).get('required')) !== 'false'
        const problem = 'is of a profile that was not asked for; say "required: false", or ask for it'
        if (isRequired) faults.push({ path: ['services', name, 'depends_on', other], place: dependency.place, problem })
        return undefined
      })
    return withEntries(service, { profiles: undefined, depends_on: dependencies })
  })
  return withEntries(root, { services: active })
}

/** With what is in files and in variables, and not only where. */
function withFilesRead(root: Tree, variables: Variables, loading: Loading): Tree {
  const entries = (section: string, change: (entry: Tree, name: string) => Tree) => {
    const tree = mapOf(root).get(section)
    return tree && mapEntries(tree, change)
  }
  return withEntries(root, {
    services: entries('services', (service, name) => serviceWithFiles(service, ['services', name], variables, loading)),
    secrets: entries('secrets', (secret) => withVariable(secret, 'x-content', variables)),
    configs: entries('configs', (config) => withVariable(config, 'content', variables)),
  })
}

function withVariable(source: Tree, content: string, variables: Variables): Tree {
  const name = mapOf(source).get('environment')
  const value = variables(textOf(name) ?? '')
  return name === undefined || value === undefined
    ? source
    : withEntries(source, { environment: undefined, [content]: valued(name, value) })
}

function serviceWithFiles(service: Tree, path: Path, variables: Variables, loading: Loading): Tree {
  const own = mapOf(service)
  const files = own.get('env_file')
  const options = own.get('security_opt')
  return withEntries(service, {
    env_file: undefined,
    environment: environmentOf(own.get('environment'), files, path, variables, loading),
    security_opt:
      options &&
      valued(
        options,
        listOf(options).map((option, index) => profileText(option, [...path, 'security_opt', index], loading)),
      ),
  })
}

/** What the service itself says is over what its files say; a name without a value has that of the client, if any. */
function environmentOf(
  own: Tree | undefined,
  files: Tree | undefined,
  path: Path,
  variables: Variables,
  loading: Loading,
): Tree | undefined {
  const environment = new Map<string, Tree>()
  const known: Variables = (name) => variables(name) ?? textOf(mapOf(own).get(name)) ?? textOf(environment.get(name))
  for (const [index, file] of listOf(files).entries()) {
    const values = envFileValues(file, [...path, 'env_file', index], known, loading)
    for (const [name, value] of values) environment.set(name, valued(file, value))
  }
  for (const [name, value] of mapOf(own)) {
    const inherited = value.value === null ? variables(name) : undefined
    environment.set(name, inherited === undefined ? value : valued(value, inherited))
  }
  const at = own ?? files
  return at && valued(at, environment)
}

function envFileValues(file: Tree, path: Path, known: Variables, loading: Loading): ReadonlyMap<string, string> {
  const [name = '', required, format] = ['path', 'required', 'format'].map((key) => textOf(mapOf(file).get(key)))
  const at = { path, place: file.place }
  if (format !== undefined && format !== 'raw') {
    loading.faults.push({ ...at, problem: `has the format ${quoted(format)}; known is raw` })
  }
  const text = required === 'false' ? loading.readOptional(name, at) : loading.read(name, at)
  return (format === 'raw' ? parseRawEnvFile : parseEnvFile)(text ?? '', name, known)
}

/** The JSON of a seccomp profile in the place of its file. */
function profileText(option: Tree, path: Path, loading: Loading): Tree {
  const [, before = '', file] = /^(seccomp[:=])(\/.*)$/s.exec(textOf(option) ?? '') ?? []
  if (file === undefined) return option
  const at = { path, place: option.place }
  try {
    return valued(option, before + JSON.stringify(JSON.parse(loading.read(file, at))))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return loading.refuse({ ...at, problem: `names the file ${file}, which is no JSON: ${error.message}` })
  }
}
