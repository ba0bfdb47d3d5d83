import type { ContainerSpec } from '../../src/model/container.ts'
import type { Digest } from '../../src/model/digest.ts'

/** A container without any option, for tests to change. */
export const PLAIN_CONTAINER: ContainerSpec = {
  image: 'docker.io/library/test:latest',
  imageRepository: 'library/test',
  imageReference: 'latest',
  imageId: `sha256:${'0'.repeat(64)}` as Digest,
  chainIds: [],
  sandboxId: 's1',
  args: ['/bin/true'],
  env: [],
  workingDir: '',
  user: '',
  hostname: 'web',
  tty: false,
  openStdin: false,
  mounts: [],
  tmpfs: [],
  resources: {},
  capAdd: [],
  capDrop: [],
  readOnlyRootfs: false,
  stopSignal: 'SIGTERM',
  stopTimeoutMs: 10_000,
  autoRemove: false,
  cgroupParent: '/condenser-test',
  runtime: 'crun',
}
