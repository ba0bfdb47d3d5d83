import { join } from 'node:path'
import type { Container } from '../model/container.ts'
import { type OciSpec, ociSpec, resolveUser } from '../runtime/index.ts'
import type { Deps } from './deps.ts'

/** The config.json of a container whose root filesystem is mounted, so that its own passwd can be asked for the user. */
export function buildOciSpec(
  { runtime, paths, seccomp, apparmorProfile }: Deps,
  { metadata, spec }: Container,
  { rootfs, netnsPath }: { rootfs: string; netnsPath: string },
): OciSpec {
  return ociSpec({
    rootfs,
    spec,
    user: resolveUser(rootfs, spec.user),
    netnsPath,
    cgroupsPath: join('/', spec.cgroupParent, metadata.uid),
    etcDir: paths.etc(metadata.uid),
    seccomp,
    host: runtime.host,
    ...(apparmorProfile === undefined ? {} : { apparmorProfile }),
  })
}
