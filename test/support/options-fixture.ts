import { after, afterEach, before } from 'node:test'
import type { ApiClient } from './api-client.ts'
import { type DaemonFixture, daemonFixture, runToEnd } from './daemon-fixture.ts'

/** What tests of options do again and again, with a daemon of their own on one runtime. */
export interface OptionsFixture {
  readonly api: ApiClient
  readonly fixture: DaemonFixture
  // biome-ignore lint/suspicious/noExplicitAny: tests look into all of it
  inspect(ref: string): Promise<any>
  remove(ref: string): Promise<unknown>
  /** What a shell script says that runs as the container's process, in one stream. */
  say(script: string, body?: object): Promise<string>
  /** What a shell script says that is run in a running container. */
  sayIn(ref: string, script: string): Promise<string>
}

/** Call inside a `describe`: registers its hooks. Every test must leave nothing but containers. */
export function optionsFixture(runtime: 'crun' | 'runc'): () => OptionsFixture {
  let fixture: DaemonFixture
  const api = () => fixture.daemon.api
  const remove = (ref: string) => api().delete(`/v1/containers/${ref}/actions/delete?force=true`)
  before(async () => {
    fixture = await daemonFixture({ runtime })
  })
  afterEach(async () => {
    for (const { containerId } of (await api().get('/v1/containers')).json.data ?? []) await remove(containerId)
    await fixture.leakCheck()
  })
  after(() => fixture[Symbol.asyncDispose]())
  return () => ({
    api: api(),
    fixture,
    remove,
    inspect: async (ref) => (await api().get(`/v1/containers/${ref}/inspect`)).json.data,
    say: async (script, body = {}) =>
      (await runToEnd(fixture, { command: ['sh', '-c', `exec 2>&1; ${script}`], ...body })).output,
    async sayIn(ref, script) {
      const body = { command: ['sh', '-c', `exec 2>&1; ${script}`], wait: true }
      const { json } = await api().post(`/v1/containers/${ref}/actions/exec`, body)
      return json.data?.stdout ?? json.message
    },
  })
}
