import { matchesGlob } from '../lib/glob.ts'
import type { Image } from '../model/image.ts'
import { matchesLabels } from '../model/label-term.ts'
import type { Store } from '../store/index.ts'
import type { ImageFilter } from './types.ts'

/** In order of creation. Each filter that is given must hold; of references one. */
export function listImages(store: Store, { labels, references, untagged }: ImageFilter): Image[] {
  return store
    .read((tx) => tx.list('Image'))
    .filter(
      (image) =>
        (labels === undefined || matchesLabels(image.spec.imageConfig.labels, labels)) &&
        (untagged === undefined || untagged === (image.spec.untagged === true)) &&
        (references === undefined || references.some((pattern) => matchesReference(image, pattern))),
    )
}

/** With its tag or without it, in full or as people write it. */
function matchesReference({ metadata, spec }: Image, pattern: string): boolean {
  const { repository, reference } = spec
  return [repository, repository.replace(/^library\//, '')]
    .flatMap((name) => [name, `${name}:${reference}`, `${name}@${reference}`])
    .concat(metadata.name)
    .some((name) => matchesGlob(name, pattern))
}
