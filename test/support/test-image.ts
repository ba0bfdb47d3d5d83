import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { type OciImage, type OciImageOptions, ociImage } from './oci-image.ts'
import type { TarEntry } from './tar.ts'

const BUSYBOX = ['/bin/busybox', '/usr/bin/busybox'].find(existsSync) ?? '/bin/busybox'
const DIRECTORIES = [
  'bin',
  'dev',
  'etc',
  'home',
  'proc',
  'root',
  'run',
  'sys',
  'tmp',
  'usr',
  'usr/bin',
  'var',
  'var/www',
]

/** A small root filesystem with a shell: Debian's busybox-static of this host, with links for its applets. */
export function busyboxLayer(): readonly TarEntry[] {
  const applets = execFileSync(BUSYBOX, ['--list'], { encoding: 'utf8' }).split('\n')
  const links = applets.filter((name) => name !== '' && name !== 'busybox')
  return [
    ...DIRECTORIES.map((path) => ({
      path: `${path}/`,
      type: 'directory' as const,
      mode: path === 'tmp' ? 0o1777 : 0o755,
    })),
    { path: 'bin/busybox', mode: 0o755, content: readFileSync(BUSYBOX) },
    ...links.map((name) => ({ path: `bin/${name}`, type: 'symlink' as const, target: 'busybox' })),
    {
      path: 'etc/passwd',
      content: 'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\napp:x:1000:1000:app:/home:/bin/sh\n',
    },
    { path: 'etc/group', content: 'root:x:0:\ndaemon:x:1:\napp:x:1000:\nextra:x:2000:app\n' },
  ]
}

/** An image to run things in: the busybox layer, then `layers`; `sh` by default. */
export function busyboxImage(options: Partial<OciImageOptions> = {}): OciImage {
  return ociImage({
    ...options,
    layers: [busyboxLayer(), ...(options.layers ?? [])],
    config: { Cmd: ['sh'], Env: ['PATH=/usr/bin:/bin'], ...options.config },
  })
}
