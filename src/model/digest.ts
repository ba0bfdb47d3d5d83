import { StatusError } from '../lib/errors.ts'

declare const brand: unique symbol
/** A content digest, `sha256:` and 64 lower-case hex digits (OCI image-spec, descriptor.md#digests). */
export type Digest = string & { readonly [brand]: 'Digest' }
/** The digest of a layer's uncompressed tar (OCI image-spec, config.md). */
export type DiffId = Digest & { readonly diffId: true }
/** Names a stack of layers (OCI image-spec, config.md#layer-chainid). */
export type ChainId = Digest & { readonly chainId: true }

const DIGEST = /^sha256:[0-9a-f]{64}$/

/** @throws {StatusError} `invalid_argument` for anything but a sha256 digest: what cannot be verified is not taken */
export function parseDigest(text: string): Digest {
  if (!DIGEST.test(text)) {
    throw new StatusError(
      'invalid_argument',
      `Cannot parse digest "${text.slice(0, 100)}": want sha256: and 64 hex digits`,
    )
  }
  return text as Digest
}

export function isDigest(text: string): text is Digest {
  return DIGEST.test(text)
}

/** The 64 hex digits. */
export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length)
}
