import { createHash } from 'node:crypto'
import type { ChainId, DiffId } from '../model/digest.ts'

/**
 * The chainIds of a stack of layers, bottom first, one a layer (OCI image-spec, config.md#layer-chainid):
 * the first is its diffId, each further one the digest of `<chainId below> <diffId>`.
 */
export function chainIds(diffIds: readonly DiffId[]): readonly ChainId[] {
  const chain: ChainId[] = []
  for (const diffId of diffIds) {
    const below = chain.at(-1)
    chain.push((below === undefined ? diffId : sha256(`${below} ${diffId}`)) as string as ChainId)
  }
  return chain
}

function sha256(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}
