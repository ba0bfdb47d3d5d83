import { once } from 'node:events'
import { Socket } from 'node:net'
import { systemCode } from '../../src/lib/errors.ts'
import type { ServiceNetwork, ServiceRule } from '../../src/network/index.ts'
import { socketIn } from './sockets.ts'

const CONNECT_MS = 10_000

export const services: ServiceNetwork = { bridge: 'raind0', subnet: '10.96.0.0/16' }

/** A Service port on 10.96.0.5:443 whose endpoints are `address:port`. */
export function service(endpoints: readonly string[], change: Partial<ServiceRule> = {}): ServiceRule {
  return {
    uid: 'a3c0f0b6-1f8e-4f3b-9d5d-0a4d2c8f1e77',
    namespace: 'default',
    name: 'web',
    portName: '',
    protocol: 'tcp',
    clusterIp: '10.96.0.5',
    port: 443,
    endpoints: endpoints.map((endpoint) => {
      const [address = '', port = ''] = endpoint.split(':')
      return { address, port: Number(port) }
    }),
    ...change,
  }
}

/** Why a TCP connection does not come about: `ECONNREFUSED`, or `ABORT_ERR` for silence; undefined if it does. */
export async function connectError(
  netns: string | undefined,
  address: string,
  port: number,
): Promise<string | undefined> {
  const client = new Socket({ fd: socketIn(netns, 'tcp'), readable: true, writable: true })
  try {
    client.connect({ host: address, port })
    await once(client, 'connect', { signal: AbortSignal.timeout(CONNECT_MS) })
    return undefined
  } catch (error) {
    return systemCode(error)
  } finally {
    client.on('error', () => {}).destroy()
  }
}
