import { extendedServices } from './extends.ts'
import { withIncludes } from './include.ts'
import type { Loading, Surroundings } from './loading.ts'
import { mergeTrees } from './merge.ts'
import { type ComposeFile, canonicalPart, partsOf } from './read-parts.ts'
import type { Tree } from './tree.ts'

/** Files of a project as one canonical tree, later ones over earlier ones, with all that they extend and include. */
export function loadFiles(files: readonly ComposeFile[], around: Surroundings, loading: Loading): Tree {
  const parts = files.flatMap(({ name, text }) => partsOf(name, text, around.variables, loading))
  loading.throw()
  const trees = parts.map((part) => {
    const extended = extendedServices(canonicalPart(part, around, loading), around, loading)
    return withIncludes(extended, around, loading, loadFiles)
  })
  const merged = trees.reduce((base, over) => mergeTrees(base, over, [], loading.faults))
  loading.throw()
  return merged
}
