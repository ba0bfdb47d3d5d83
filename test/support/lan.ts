import { execFileSync } from 'node:child_process'
import { createNetns, removeNetns } from '../../src/linux/netns.ts'

/** Another host on a network of ours, which is a veth pair to a second network namespace. */
export interface Neighbour extends Disposable {
  readonly netns: string
  readonly address: string
  /** Our address on that network. */
  readonly hostAddress: string
  readonly address6: string
  readonly hostAddress6: string
}

/**
 * Our side gets 192.168.<subnet>.1 and fd50:0:0:<subnet>::1, which are also the neighbour's default routes, the neighbour
 * those that end with 2.
 */
export function addNeighbour(netns: string, link: string, subnet: number): Neighbour {
  const address = `192.168.${subnet}.2`
  const hostAddress = `192.168.${subnet}.1`
  const [hostAddress6, address6] = [`fd50:0:0:${subnet}::1`, `fd50:0:0:${subnet}::2`]
  createNetns(netns)
  run(undefined, `ip link add ${link} type veth peer name eth0 netns ${netns}`)
  run(undefined, `ip addr add ${hostAddress}/24 dev ${link}`)
  run(undefined, `ip link set ${link} up`)
  run(netns, 'ip link set lo up')
  run(netns, `ip addr add ${address}/24 dev eth0`)
  run(netns, 'ip link set eth0 up')
  run(netns, `ip route add default via ${hostAddress}`)
  run(undefined, `ip addr add ${hostAddress6}/64 dev ${link} nodad`)
  run(netns, `ip addr add ${address6}/64 dev eth0 nodad`)
  run(netns, `ip route add default via ${hostAddress6}`)
  return {
    netns,
    address,
    hostAddress,
    address6,
    hostAddress6,
    [Symbol.dispose]() {
      run(undefined, `ip link del ${link}`)
      removeNetns(netns)
    },
  }
}

/** Runs a command, words split at blanks, in a network namespace (undefined: our own); returns its output. */
export function run(netns: string | undefined, command: string): string {
  const [program, ...args] = [...(netns === undefined ? [] : ['nsenter', `--net=${netns}`]), ...command.split(' ')]
  return execFileSync(program!, args, { encoding: 'utf8' })
}

/** Lets packets for 127/8 leave this host by `gateway`, as an attacker's own kernel would: ours will not by itself. */
export function routeLoopbackVia(netns: string, gateway: string, link: string): void {
  run(netns, `sysctl -qw net.ipv4.conf.${link}.route_localnet=1`)
  run(netns, 'ip route del local 127.0.0.0/8 dev lo table local')
  run(netns, 'ip route del local 127.0.0.1 dev lo table local')
  run(netns, `ip route add 127.0.0.1/32 via ${gateway} dev ${link}`)
}
