import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { silentLogger } from '../../src/lib/log.ts'
import { inlineKernelThread } from '../../src/linux/kernel-thread.ts'
import { spawnOps } from '../../src/linux/spawn.ts'
import type { NetworkSpec, PortMapping } from '../../src/model/network.ts'
import {
  createNetwork,
  defaultMac,
  type NetworkDriver,
  networkOps,
  type ServiceNetwork,
} from '../../src/network/index.ts'

export const ctx = { signal: new AbortController().signal, log: silentLogger }

export const raind0: NetworkSpec = { bridge: 'raind0', subnet: '10.166.0.0/20', gateway: '10.166.0.254' }

/** A network driver on a directory of its own, with one bridge, restored as at boot. */
export interface NetworkFixture extends AsyncDisposable {
  readonly driver: NetworkDriver
  readonly dir: string
  attachment(address: string, address6?: string): Parameters<NetworkDriver['setUp']>[2][number]
  /** A sandbox at these addresses, the second of IPv6; returns the path of its namespace. */
  sandbox(key: string, address: string, address6?: string): Promise<string>
  publish(key: string, address: string, ...ports: PortMapping[]): Promise<void>
}

export async function openNetwork(spec: NetworkSpec = raind0, services?: ServiceNetwork): Promise<NetworkFixture> {
  const dir = mkdtempSync('/var/tmp/condenser-network-')
  const netnsDir = join(dir, 'netns')
  const driver = createNetwork({
    thread: inlineKernelThread({ ...networkOps, ...spawnOps }),
    netnsDir,
    log: silentLogger,
    ...(services !== undefined && { services }),
  })
  await driver.ensureBridge(ctx, spec)
  await restored(driver, [spec], new Map())
  const { bridge, gateway, subnet, ipv6 } = spec
  const inSubnet = (address: string, subnet: string) => `${address}/${subnet.split('/')[1]}`
  const attachment = (address: string, address6?: string) => ({
    network: bridge,
    interface: 'eth0',
    addresses: [inSubnet(address, subnet), ...(address6 === undefined ? [] : [inSubnet(address6, ipv6!.subnet)])],
    mac: defaultMac(address),
    aliases: [],
    gatewayPriority: 0,
    bridge,
    gateway,
    ...(address6 !== undefined && { gateway6: ipv6!.gateway }),
  })
  return {
    driver,
    dir,
    attachment,
    async sandbox(key, address, address6) {
      const { netnsPath } = await driver.setUp(ctx, key, [attachment(address, address6)])
      return netnsPath
    },
    publish: (key, address, ...ports) =>
      driver.setPorts(
        ctx,
        key,
        ports.map((port) => ({ ...port, address, bridge })),
      ),
    async [Symbol.asyncDispose]() {
      for (const key of await driver.listNetns()) await driver.tearDown(ctx, key)
      await driver.removeBridge(ctx, spec)
      rmSync(dir, { recursive: true })
    },
  }
}

/** As at boot, and in force. */
export async function restored(
  driver: NetworkDriver,
  networks: readonly NetworkSpec[],
  ports: Parameters<NetworkDriver['restore']>[2],
): Promise<void> {
  await driver.restore(ctx, networks, ports)
  await driver.enforce()
}

export function tcp(hostPort: number, containerPort: number, hostIp = '0.0.0.0'): PortMapping {
  return { hostIp, hostPort, containerPort, protocol: 'tcp' }
}

export function udp(hostPort: number, containerPort: number, hostIp = '0.0.0.0'): PortMapping {
  return { hostIp, hostPort, containerPort, protocol: 'udp' }
}
