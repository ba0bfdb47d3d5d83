import { StatusError } from '../lib/errors.ts'
import type { ContainerSpec } from '../model/container.ts'
import { planHealthcheck } from '../model/healthcheck.ts'
import type { Image } from '../model/image.ts'
import type { ContainerDefaults } from './deps.ts'
import type { CreateContainer } from './types.ts'

/** Merges what was asked for with what the image says, as docker does. Pure. @throws {StatusError} `invalid_argument` */
export function planContainer(
  request: CreateContainer,
  image: Image,
  mounts: ContainerSpec['mounts'],
  defaults: ContainerDefaults,
  ids: { readonly sandboxId: string; readonly hostname: string; readonly runtime: string },
): ContainerSpec {
  const { imageConfig } = image.spec
  const workingDir = request.workingDir ?? (imageConfig.workingDir || '/')
  if (!workingDir.startsWith('/')) {
    throw new StatusError('invalid_argument', `Invalid working directory "${workingDir}": it must be an absolute path`)
  }
  const healthcheck = planHealthcheck(request.healthcheck, imageConfig.healthcheck)
  return {
    image: image.metadata.name,
    imageRepository: image.spec.repository,
    imageReference: image.spec.reference,
    imageId: image.spec.config.digest,
    chainIds: image.spec.chainIds,
    sandboxId: ids.sandboxId,
    args: planArgs(request, image),
    env: mergeEnv(imageConfig.env, request.env ?? []),
    workingDir,
    user: request.user ?? imageConfig.user,
    hostname: request.hostname ?? ids.hostname,
    tty: request.tty ?? false,
    openStdin: request.openStdin ?? false,
    mounts,
    ...(request.stdinOnce && { stdinOnce: true }),
    tmpfs: request.tmpfs ?? [],
    resources: request.resources ?? {},
    capAdd: request.capAdd ?? [],
    capDrop: request.capDrop ?? [],
    readOnlyRootfs: request.readOnlyRootfs ?? false,
    ...request.options,
    ...(healthcheck !== undefined && { healthcheck }),
    stopSignal: request.stopSignal ?? (imageConfig.stopSignal || 'SIGTERM'),
    stopTimeoutMs: request.stopTimeoutMs ?? defaults.stopTimeoutMs,
    autoRemove: request.autoRemove ?? false,
    cgroupParent: defaults.cgroupParent,
    runtime: ids.runtime,
  }
}

/** A given entrypoint also drops the image's Cmd (OCI image-spec, config.md; docker run --entrypoint). */
function planArgs(request: CreateContainer, image: Image): readonly string[] {
  const { entrypoint, cmd } = image.spec.imageConfig
  const command = request.command ?? []
  const args =
    request.entrypoint === undefined
      ? [...entrypoint, ...(command.length > 0 ? command : cmd)]
      : [...request.entrypoint, ...command]
  if (args.length === 0 || args[0] === '') {
    throw new StatusError(
      'invalid_argument',
      `Image ${image.metadata.name} names no command to run: give one after the image`,
    )
  }
  return args
}

/** Later values win; the order of first appearance stays. */
export function mergeEnv(base: readonly string[], over: readonly string[]): readonly string[] {
  const values = new Map<string, string>()
  for (const entry of [...base, ...over]) {
    const end = entry.indexOf('=')
    values.set(end < 0 ? entry : entry.slice(0, end), entry)
  }
  return [...values.values()]
}
