import type { WriteTx } from '../store/index.ts'
import { ServiceAddresses } from './allocate-service.ts'
import { type AppliedObject, type ApplyOptions, applyManifest, namespaceOf } from './apply.ts'
import { assertAll, type DocumentFailure, failureOf } from './manifest-failure.ts'
import { ensureNamespace } from './namespaces.ts'
import type { ReadManifest } from './read-manifests.ts'

/** Each in its turn, with the namespaces they are in. @throws {StatusError} `details.documents` has each that cannot be applied */
export function applyAll(
  tx: WriteTx,
  manifests: readonly ReadManifest[],
  options: ApplyOptions,
  serviceSubnet: string,
): AppliedObject[] {
  let known: ServiceAddresses | undefined
  const addresses = () => {
    known ??= new ServiceAddresses(tx, serviceSubnet)
    return known
  }
  const namespaces = new Set(manifests.map(({ manifest }) => namespaceOf(manifest)).filter((name) => name !== ''))
  const outcomes = manifests.map((read): AppliedObject | DocumentFailure => {
    try {
      return applyManifest({ tx, options, addresses }, read)
    } catch (error) {
      return failureOf(read, read.manifest, error)
    }
  })
  const applied = assertAll(outcomes)
  for (const name of namespaces) ensureNamespace(tx, name)
  return applied
}
