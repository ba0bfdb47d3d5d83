import type { Image } from '../model/image.ts'
import type { Deps } from './deps.ts'
import { findImage } from './find.ts'

/** Until it is disposed of, the image's layers stay, whatever happens to its name. */
export interface ImageLease extends Disposable {
  readonly image: Image
}

/** For whoever builds on an image and has not written a record yet that names its layers. @throws {StatusError} `not_found` */
export function leaseImage({ store, claims }: Pick<Deps, 'store' | 'claims'>, reference: string): ImageLease {
  const image = store.read((tx) => findImage(tx, reference))
  const claim = claims.hold(image.spec.chainIds)
  return { image, [Symbol.dispose]: () => claim[Symbol.dispose]() }
}
