import type { Images, PullOptions } from '../../images/index.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { hasCode, messageOf, StatusError } from '../../lib/errors.ts'
import type { Image } from '../../model/image.ts'
import type { PodContainer } from '../../model/kube/container.ts'

export interface PullTold {
  readonly pulling: () => void
  readonly pulled: (image: Image, isNew: boolean) => void
}

/**
 * The image of a container, as its pull policy has it.
 * @throws {StatusError} with `details.reason`: `ErrImagePull`, `ErrImageNeverPull`, `InvalidImageName`
 */
export async function ensureImage(
  ctx: Ctx,
  images: Images,
  container: PodContainer,
  auth: PullOptions['auth'],
  told: PullTold,
): Promise<Image> {
  const { image: reference = '', imagePullPolicy: policy = 'IfNotPresent' } = container
  const present = find(images, reference)
  if (present !== undefined && policy !== 'Always') {
    told.pulled(present, false)
    return present
  }
  if (policy === 'Never') {
    throw fault('ErrImageNeverPull', `Container image "${reference}" is not present with pull policy of Never`)
  }
  told.pulling()
  try {
    for await (const _progress of images.pull(ctx, reference, { endsWithCaller: true, ...(auth && { auth }) })) {
      // Only its end matters here.
    }
    const image = images.get(reference)
    told.pulled(image, true)
    return image
  } catch (error) {
    if (ctx.signal.aborted) throw error
    throw fault('ErrImagePull', messageOf(error), error)
  }
}

function find(images: Images, reference: string): Image | undefined {
  try {
    return images.get(reference)
  } catch (error) {
    if (hasCode(error, 'invalid_argument')) throw fault('InvalidImageName', messageOf(error), error)
    if (hasCode(error, 'not_found')) return undefined
    throw error
  }
}

function fault(reason: string, message: string, cause?: unknown): StatusError {
  return new StatusError('failed_precondition', message, { cause, details: { reason } })
}
