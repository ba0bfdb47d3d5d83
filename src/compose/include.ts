import { posix } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { parseEnvFile } from './env-file.ts'
import { type Fault, placeText } from './faults.ts'
import type { Variables } from './interpolate.ts'
import type { Loading, Surroundings } from './loading.ts'
import { absoluteIn } from './paths.ts'
import type { ComposeFile } from './read-parts.ts'
import { isMap, listOf, mapOf, type Path, plainOf, type Tree, textOf, valued, withEntries } from './tree.ts'

const SECTIONS = ['services', 'networks', 'volumes', 'secrets', 'configs']

type LoadFiles = (files: readonly ComposeFile[], around: Surroundings, loading: Loading) => Tree

/** A tree with what is in the files that it includes, each read in its own directory with its own variables. */
export function withIncludes(root: Tree, around: Surroundings, loading: Loading, loadFiles: LoadFiles): Tree {
  const includes = listOf(mapOf(root).get('include'))
  const included = includes.map((entry, index) => {
    const { files, within } = includedFiles(entry, ['include', index], around, loading)
    return loadFiles(files, within, loading)
  })
  return included.reduce(
    (tree, other) => imported(tree, other, loading.faults),
    withEntries(root, { include: undefined }),
  )
}

/** What an entry names, and how it is read. */
function includedFiles(entry: Tree, path: Path, around: Surroundings, loading: Loading) {
  const at = { path, place: entry.place }
  const key = (name: string) => (isMap(entry) ? entry.value.get(name) : name === 'path' ? entry : undefined)
  const absolute = (text: string, directory = around.directory): string => {
    const found = absoluteIn(directory, text)
    return 'path' in found ? found.path : loading.refuse({ ...at, problem: found.problem })
  }
  const paths = textsOf(key('path')).map((text) => absolute(text))
  const [main] = paths
  if (main === undefined) return loading.refuse({ ...at, problem: 'needs "path"' })
  if (around.includedBy.includes(main)) {
    const chain = [...around.includedBy.slice(around.includedBy.indexOf(main)), main]
    loading.refuse({ ...at, problem: `goes in circles: ${chain.join(' -> ')}` })
  }
  const files = paths.map((name) => ({ name, text: loading.read(name, at) }))
  const project = textOf(key('project_directory'))
  const directory = { ...around.directory, path: project === undefined ? posix.dirname(main) : absolute(project) }
  const envFiles = textsOf(key('env_file'))
  const named = envFiles.map((text) => absolute(text)).filter((file) => file !== '/dev/null')
  const implicit = absolute('.env', directory)
  const texts =
    envFiles.length > 0
      ? named.map((name) => ({ name, text: loading.read(name, at) }))
      : [{ name: implicit, text: loading.readOptional(implicit, at) ?? '' }]
  const variables = withFiles(around.variables, texts)
  const within: Surroundings = { variables, directory, includedBy: [...around.includedBy, main] }
  return { files, within }
}

function textsOf(tree: Tree | undefined): readonly string[] {
  const text = textOf(tree)
  return text === undefined ? listOf(tree).map((item) => textOf(item) ?? '') : [text]
}

/** What is set stays; of files the last counts. */
function withFiles(variables: Variables, files: readonly ComposeFile[]): Variables {
  const found = new Map<string, string>()
  const known: Variables = (name) => variables(name) ?? found.get(name)
  for (const { name, text } of files) for (const [key, value] of parseEnvFile(text, name, known)) found.set(key, value)
  return known
}

/** What both have must be the same in both. */
function imported(root: Tree, other: Tree, faults: Fault[]): Tree {
  return SECTIONS.reduce((tree, section) => {
    const theirs = mapOf(other).get(section)
    if (!isMap(theirs)) return tree
    const entries = new Map(mapOf(mapOf(tree).get(section)))
    for (const [name, entry] of theirs.value) {
      const own = entries.get(name)
      if (own !== undefined && !isDeepStrictEqual(plainOf(own), plainOf(entry))) {
        const problem = `is not what the included ${placeText(entry.place)} says; change it in a file over both`
        faults.push({ path: [section, name], place: own.place, problem })
      }
      if (own === undefined) entries.set(name, entry)
    }
    return withEntries(tree, { [section]: valued(mapOf(tree).get(section) ?? theirs, entries) })
  }, root)
}
