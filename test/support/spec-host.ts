import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cgroupHierarchies, cgroupMode, removeCgroup } from '../../src/linux/cgroup.ts'
import { check, libc } from '../../src/linux/libc.ts'
import type { ContainerSpec } from '../../src/model/container.ts'
import { newId } from '../../src/model/names.ts'
import { type OciSpec, ociSpec, readHostFacts, resolveUser, seccompProfiles } from '../../src/runtime/spec/index.ts'
import { PLAIN_CONTAINER } from './container-spec.ts'

const umount2 = libc('int umount2(const char*, int)')
const UNIFIED = '/sys/fs/cgroup/unified'
const MNT_DETACH = 2

const APPLETS =
  'sh cat ls touch id env pwd grep mount umount unshare mkdir mknod dd chroot hostname sleep true cp stat readlink head rm'

export interface RunResult {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

/** Runs config.json as the daemon would write it by a bare crun or runc, without a monitor. Needs a mount namespace. */
export class SpecHost implements AsyncDisposable {
  readonly directory = mkdtempSync('/var/tmp/condenser-spec-')
  readonly rootfs = join(this.directory, 'rootfs')
  readonly etc = join(this.directory, 'etc')
  readonly facts = readHostFacts()
  readonly cgroupParent = `/condenser-test-spec-${process.pid}`
  readonly runtime: 'crun' | 'runc'
  readonly #compile: boolean

  constructor(runtime: 'crun' | 'runc', { compile }: { compile: boolean }) {
    this.runtime = runtime
    this.#compile = compile
    // crun takes a hybrid host for a version 2 one; the mount is this namespace's own.
    if (runtime === 'crun' && cgroupMode() === 'hybrid') check(`umount ${UNIFIED}`, umount2(UNIFIED, MNT_DETACH))
    for (const name of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev'])
      mkdirSync(join(this.rootfs, name), { recursive: true })
    copyFileSync('/bin/busybox', join(this.rootfs, 'bin/busybox'))
    for (const applet of APPLETS.split(' ')) symlinkSync('busybox', join(this.rootfs, 'bin', applet))
    writeFileSync(join(this.rootfs, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n')
    writeFileSync(join(this.rootfs, 'etc/group'), 'root:x:0:\napp:x:1001:\naudio:x:29:app\n')
    mkdirSync(this.etc)
    for (const name of ['hosts', 'hostname', 'resolv.conf']) writeFileSync(join(this.etc, name), `our ${name}\n`)
  }

  spec(id: string, script: string, changes: Partial<ContainerSpec> = {}): OciSpec {
    const spec: ContainerSpec = { ...PLAIN_CONTAINER, args: ['/bin/sh', '-c', script], ...changes }
    return ociSpec({
      rootfs: this.rootfs,
      spec,
      user: resolveUser(this.rootfs, spec.user),
      cgroupsPath: join(this.cgroupParent, id),
      etcDir: this.etc,
      seccomp: seccompProfiles(this.facts, { compile: this.#compile }),
      host: this.facts,
    })
  }

  /** Runs a script in a container of its own, to its end. */
  async run(script: string, changes: Partial<ContainerSpec> = {}): Promise<RunResult> {
    const id = newId()
    const bundle = this.bundle(id, this.spec(id, script, changes))
    return await this.call('run', '--bundle', bundle, id)
  }

  bundle(id: string, spec: OciSpec): string {
    const bundle = join(this.directory, id)
    mkdirSync(bundle)
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(spec))
    return bundle
  }

  /** The runtime's own command. */
  async call(...args: string[]): Promise<RunResult> {
    const argv = ['--root', join(this.directory, 'state'), ...args]
    return await new Promise((resolve) => {
      execFile(this.runtime, argv, (error, stdout, stderr) => {
        resolve({ stdout, stderr, exitCode: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1 })
      })
    })
  }

  /** Starts a container that goes on by itself: it would hold the pipes of `call` open. */
  async launch(id: string, bundle: string): Promise<void> {
    const argv = ['--root', join(this.directory, 'state'), 'run', '--detach', '--bundle', bundle, id]
    const [exitCode] = await once(spawn(this.runtime, argv, { stdio: 'ignore' }), 'exit')
    if (exitCode !== 0) throw new Error(`${this.runtime} run exited with ${exitCode}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeCgroup(this.cgroupParent, cgroupHierarchies())
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** The value of a limit, as the container sees it; version 1 has a file of that name in the controller's hierarchy. */
export function cgroupFile(v1: string, v2: string): string {
  return existsSync('/sys/fs/cgroup/cgroup.controllers') ? `/sys/fs/cgroup/${v2}` : `/sys/fs/cgroup/${v1}`
}
