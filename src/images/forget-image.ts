import { imageEvent } from '../model/event.ts'
import type { Image } from '../model/image.ts'
import type { WriteTx } from '../store/index.ts'

/** Takes away one name of an image; what was its last one tells that the image is gone. */
export function forgetImage(tx: WriteTx, image: Image): void {
  tx.delete('Image', image.metadata.uid)
  if (!image.spec.untagged) tx.event(imageEvent(image, 'untag'))
  const isOther = ({ spec }: Image) => spec.config.digest === image.spec.config.digest
  if (!tx.list('Image').some(isOther)) tx.event(imageEvent(image, 'delete'))
}
