import assert from 'node:assert/strict'
import type { ApiClient } from './api-client.ts'

interface AttachmentSeen {
  readonly network: string
  readonly interface: string
  readonly addresses: readonly string[]
  readonly aliases: readonly string[]
}

interface ExecSeen {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** The requests that tests of networks make, of whatever daemon runs at the time; each fails unless it is answered with 200. */
export function networkCalls(api: () => ApiClient) {
  const ok = async (answer: ReturnType<ApiClient['get']>) => {
    const { status, text, json } = await answer
    assert.equal(status, 200, text)
    return json.data
  }
  const exec = (ref: string, command: readonly string[]): Promise<ExecSeen> =>
    ok(api().post(`/v1/containers/${ref}/actions/exec`, { command, wait: true }))
  const attachments = async (ref: string): Promise<readonly AttachmentSeen[]> =>
    (await ok(api().get(`/v1/containers/${ref}/inspect`))).sandbox.spec.attachments
  return {
    ok,
    exec,
    attachments,
    createNetwork: (body: object) => ok(api().post('/v1/networks', body)),
    removeNetwork: (name: string) => ok(api().delete(`/v1/networks/${name}/actions/delete`)),
    remove: (ref: string) => ok(api().delete(`/v1/containers/${ref}/actions/delete?force=true`)),
    /** Without their prefix lengths, IPv4 first. */
    addressesIn: async (ref: string, network: string): Promise<readonly string[]> =>
      (await attachments(ref))
        .find((one) => one.network === network)!
        .addresses.map((address) => address.split('/')[0]!),
    /** @param waitS a packet that should come may take long on a busy machine */
    reaches: async (ref: string, address: string, waitS = 20): Promise<boolean> =>
      (await exec(ref, ['ping', '-c', '1', '-W', String(waitS), address])).exitCode === 0,
  }
}
