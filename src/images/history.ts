import { StatusError } from '../lib/errors.ts'
import type { Digest } from '../model/digest.ts'
import type { Deps } from './deps.ts'
import { findImage } from './find.ts'
import { MAX_CONFIG_BYTES } from './image-config.ts'

/** One step of how an image was made (OCI image-spec, config.md: `history`), as its config tells it. */
export interface HistoryEntry {
  /** ms; 0 if it is not told. */
  readonly createdAt: number
  readonly createdBy: string
  readonly comment: string
  readonly author: string
  /** Digest of the compressed layer; undefined for a step that made none. */
  readonly layer: Digest | undefined
  /** What the layer takes on disk; 0 without one. */
  readonly usedBytes: number
}

type Json = Readonly<Record<string, unknown>>

/** The newest step first, as `docker history` has it. @throws {StatusError} `invalid_argument`, `not_found` */
export async function imageHistory({ store, content, claims }: Deps, reference: string): Promise<HistoryEntry[]> {
  const { spec, usedBytes } = store.read((tx) => {
    const { spec: found } = findImage(tx, reference)
    return {
      spec: found,
      usedBytes: found.chainIds.map((chainId) => tx.get('Layer', chainId)?.status.usedBytes ?? 0),
    }
  })
  using _claim = claims.hold([spec.config.digest])
  const steps = parseSteps(await content.read(spec.config.digest, MAX_CONFIG_BYTES))
  let layers = 0
  const next = () => ({ layer: spec.layers[layers]?.digest, usedBytes: usedBytes[layers++] ?? 0 })
  const entries = steps.map(({ emptyLayer, ...step }) => ({
    ...step,
    ...(emptyLayer ? { layer: undefined, usedBytes: 0 } : next()),
  }))
  // Not every builder tells; a layer without a step is still shown.
  while (layers < spec.layers.length) entries.push({ ...UNTOLD, ...next() })
  return entries.reverse()
}

const UNTOLD = { createdAt: 0, createdBy: '', comment: '', author: '' }

function parseSteps(config: Buffer): (typeof UNTOLD & { readonly emptyLayer: boolean })[] {
  const { history }: Json = JSON.parse(config.toString())
  if (history == null) return []
  if (!Array.isArray(history)) throw new StatusError('invalid_argument', "The history in the image's config is no list")
  return history.map((step: unknown) => {
    const from: Json = typeof step === 'object' && step !== null ? (step as Json) : {}
    const text = (key: string) => (typeof from[key] === 'string' ? from[key] : '')
    return {
      createdAt: Math.max(0, Date.parse(text('created')) || 0),
      createdBy: text('created_by'),
      comment: text('comment'),
      author: text('author'),
      emptyLayer: from['empty_layer'] === true,
    }
  })
}
