import { type DaemonFixture, daemonFixture } from '../../test/support/daemon-fixture.ts'
import type { OciImage } from '../../test/support/oci-image.ts'
import type { BenchOptions } from './promise.ts'

/** A daemon from the production bundle, with the flags of a user, and `busybox` pulled. */
export async function startHost(
  { condenser, runtime }: BenchOptions,
  images: Readonly<Record<string, OciImage>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<DaemonFixture> {
  const listen = Object.keys(env).length === 0 ? '127.0.0.1:7755' : 'none'
  return await daemonFixture({ command: [condenser], runtime, listen, args: ['--log-level', 'info'], images, env })
}

/** Creates a container that sleeps; returns its 12-digit id. */
export async function create({ daemon, image }: DaemonFixture, body: object = {}): Promise<string> {
  const created = await daemon.api.post('/v1/containers', { image, command: ['sleep', '10000'], ...body })
  if (created.status !== 200) throw new Error(`create answered ${created.status}: ${created.text}`)
  return created.json.data.id
}

export async function start({ daemon }: DaemonFixture, id: string): Promise<void> {
  await expectOk(daemon.api.post(`/v1/containers/${id}/actions/start`))
}

export async function stop({ daemon }: DaemonFixture, id: string): Promise<void> {
  await expectOk(daemon.api.post(`/v1/containers/${id}/actions/stop?signal=KILL`))
}

/** Also of one that runs. */
export async function remove({ daemon }: DaemonFixture, id: string): Promise<void> {
  await expectOk(daemon.api.delete(`/v1/containers/${id}/actions/delete?force=true`))
}

async function expectOk(answer: Promise<{ status: number; text: string }>): Promise<void> {
  const { status, text } = await answer
  if (status !== 200) throw new Error(`the daemon answered ${status}: ${text}`)
}
