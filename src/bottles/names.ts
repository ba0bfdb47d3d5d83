import type { Bottle, BottleService, BottleSpec } from '../model/bottle.ts'

type Named = Pick<Bottle, 'metadata' | 'spec'>

/** The names that a bottle's parts have in the daemon, as Compose gives them. */
export function containerName({ metadata }: Named, service: string, number: number, { containerName }: BottleService) {
  return containerName ?? `${metadata.name}-${service}-${number}`
}

export function networkName({ metadata, spec }: Named, key: string): string {
  return nameOf(metadata.name, key, spec.networks)
}

export function volumeName({ metadata, spec }: Named, key: string): string {
  return nameOf(metadata.name, key, spec.volumes)
}

function nameOf(bottle: string, key: string, parts: BottleSpec['networks' | 'volumes']): string {
  return parts[key]?.name ?? `${bottle}_${key}`
}
