import { canonicalTree } from './canonical.ts'
import { interpolateTree, type Variables } from './interpolate.ts'
import type { Loading, Surroundings } from './loading.ts'
import { mergeTrees } from './merge.ts'
import { withAbsolutePaths } from './paths.ts'
import { MAX_SERVICES } from './project-name.ts'
import { readTrees } from './read-yaml.ts'
import { mapOf, type Tree, withEntries } from './tree.ts'
import { schemaFaults } from './validate.ts'

/** A text, and what it is called in messages. */
export interface ComposeFile {
  readonly name: string
  readonly text: string
}

/** Its documents, interpolated and checked against the schema; what one lacks may be in another. */
export function partsOf(name: string, text: string, variables: Variables, loading: Loading): Tree[] {
  const documents = readTrees(text, name)
  if (documents.length === 0) loading.refuse({ path: [], place: { file: name }, problem: 'is empty' })
  return documents.map((document) => {
    const version = mapOf(document).get('version')
    if (version !== undefined) {
      loading.warnings.push({ path: ['version'], place: version.place, problem: 'is obsolete, and not looked at' })
    }
    // Before all that looks at each of them.
    const services = mapOf(document).get('services')
    if (services !== undefined && mapOf(services).size > MAX_SERVICES) {
      loading.refuse({ path: ['services'], place: services.place, problem: `are more than ${MAX_SERVICES}` })
    }
    const told = { faults: loading.faults, unset: loading.unset.bind(loading) }
    const tree = interpolateTree(withEntries(document, { version: undefined }), variables, told)
    loading.weigh(tree)
    loading.faults.push(...schemaFaults(tree, { isPart: true }))
    return tree
  })
}

/** In one spelling, with all paths absolute. */
export function canonicalPart(part: Tree, around: Surroundings, loading: Loading): Tree {
  const tree = withAbsolutePaths(canonicalTree(part, loading.faults), around.directory, loading.faults)
  loading.throw()
  return tree
}

/** A file alone, without what it extends and includes. */
export function canonicalFile({ name, text }: ComposeFile, around: Surroundings, loading: Loading): Tree {
  const parts = partsOf(name, text, around.variables, loading)
  loading.throw()
  return parts
    .map((part) => canonicalPart(part, around, loading))
    .reduce((base, over) => mergeTrees(base, over, [], loading.faults))
}
