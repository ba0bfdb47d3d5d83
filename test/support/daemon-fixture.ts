import { writeFile } from 'node:fs/promises'
import { assertAgreement } from './agreement.ts'
import type { ApiClient } from './api-client.ts'
import { type Daemon, type DaemonOptions, type Disk, type Home, makeHome, startDaemon } from './daemon.ts'
import { assertNoLeak, observe, type World } from './leak-check.ts'
import type { OciImage } from './oci-image.ts'
import { pushImage, startRegistry, type TestRegistry } from './registry.ts'
import { busyboxImage } from './test-image.ts'

/** A registry with images in it and a daemon that may pull from it: what most tests of the whole begin with. */
export interface DaemonFixture extends AsyncDisposable {
  readonly home: Home
  readonly options: DaemonOptions
  readonly registry: TestRegistry
  /** The one that runs at present. */
  readonly daemon: Daemon
  /** `busybox`, already pulled. */
  readonly image: string
  /** Kills or stops the daemon if it still runs, and starts it again on the same home. */
  restart(options?: DaemonOptions): Promise<Daemon>
  /** The state to which every test must come back. */
  leakCheck(): Promise<void>
  /** Removes all containers and volumes, then checks for leaks: what follows each test. */
  clear(): Promise<void>
}

export async function daemonFixture(
  options: DaemonOptions & { readonly images?: Readonly<Record<string, OciImage>>; readonly disk?: Disk } = {},
): Promise<DaemonFixture> {
  await using stack = new AsyncDisposableStack()
  const registry = stack.use(await startRegistry())
  const images = { busybox: busyboxImage(), ...options.images }
  for (const [name, image] of Object.entries(images)) await pushImage(registry, name, image)
  const home = stack.use(await makeHome(options.disk))
  await writeFile(home.config, `cgroupParent: ${home.cgroupParent}\nstopTimeout: 2\n`)
  let daemon = await startDaemon(home, options)
  stack.defer(() => daemon[Symbol.asyncDispose]())
  // With the last of them the name server ends.
  stack.defer(() => removeContainers(daemon.api).catch(() => {}))
  const image = `${registry.host}/busybox`
  const pulled = await daemon.api.post('/v1/images', { image })
  if (pulled.status !== 200) throw new Error(`Cannot pull ${image}: ${pulled.text}`)
  const clean: World = await observe(home)
  const owned = stack.move()
  return {
    home,
    options,
    registry,
    get daemon() {
      return daemon
    },
    image,
    async restart(again = options) {
      await daemon.stop()
      daemon = await startDaemon(home, again)
      return daemon
    },
    leakCheck: () => assertNoLeak(clean, home),
    async clear() {
      await removeContainers(daemon.api)
      await daemon.api.post('/v1/volumes/prune', { all: true })
      await assertAgreement(daemon.api)
      await assertNoLeak(clean, home)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function removeContainers(api: ApiClient): Promise<void> {
  for (const { containerId } of (await api.get('/v1/containers')).json.data ?? []) {
    await api.delete(`/v1/containers/${containerId}/actions/delete?force=true`)
  }
}

/** Creates and starts a container; returns its 12-digit id. */
export async function runContainer({ daemon, image }: DaemonFixture, body: object): Promise<string> {
  const created = await daemon.api.post('/v1/containers', { image, ...body })
  if (created.status !== 200) throw new Error(`create answered ${created.status}: ${created.text}`)
  const { id } = created.json.data
  const started = await daemon.api.post(`/v1/containers/${id}/actions/start`, {})
  if (started.status !== 200) throw new Error(`start answered ${started.status}: ${started.text}`)
  return id
}

/** Runs a command to its end; returns what it wrote and its exit code, and removes the container. */
export async function runToEnd(fixture: DaemonFixture, body: object): Promise<{ exitCode: number; output: string }> {
  const { api } = fixture.daemon
  const id = await runContainer(fixture, body)
  const { exitCode } = (await api.post(`/v1/containers/${id}/actions/wait`)).json.data
  const output = (await api.get(`/v1/containers/${id}/log?tail_lines=1000`)).text
  const removed = await api.delete(`/v1/containers/${id}/actions/delete`)
  if (removed.status !== 200) throw new Error(`delete answered ${removed.status}: ${removed.text}`)
  return { exitCode, output }
}
