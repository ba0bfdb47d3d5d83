import type { Store } from '../store/index.ts'
import { findContainer } from './find.ts'
import type { Sampled } from './usage-sampler.ts'

/** The ids of what is named, each once; all that run if nothing is. @throws {StatusError} `not_found`, `invalid_argument` */
export function sampledOf(store: Store, refs: readonly string[] | undefined): Sampled {
  if (refs === undefined) return 'alive'
  return store.read((tx) => [...new Set(refs.map((ref) => findContainer(tx, ref).metadata.uid))])
}
