import { type Container, cgroupPath } from '../model/container.ts'
import { findInit, type OciSpec, ociSpec, resolveUser } from '../runtime/index.ts'
import type { Deps } from './deps.ts'
import type { JoinedNamespaces } from './joined-namespaces.ts'

/** The config.json of a container whose root filesystem is mounted, so that its own passwd can be asked for the user. */
export function buildOciSpec(
  { runtime, paths, seccomp, apparmorProfile }: Deps,
  container: Container,
  { netnsPath, joined }: { netnsPath: string | undefined; joined: JoinedNamespaces },
): OciSpec {
  const { metadata, spec } = container
  const rootfs = paths.rootfs(metadata.uid)
  return ociSpec({
    rootfs,
    spec,
    user: resolveUser(rootfs, spec.user, spec),
    ...(netnsPath === undefined ? { hostNetwork: true } : { netnsPath }),
    cgroupsPath: cgroupPath(container),
    etcDir: paths.etc(metadata.uid),
    namespaces: joined.namespaces,
    ...(joined.shmDir !== undefined && { shmDir: joined.shmDir }),
    ...(spec.init && { initProgram: findInit() }),
    seccomp,
    host: runtime.host,
    ...(apparmorProfile === undefined ? {} : { apparmorProfile }),
  })
}
