import { readFile } from 'node:fs/promises'

/** Of include/net/tcp_states.h, in hex. */
const STATE = { established: '01', listen: '0A' } as const
/** 127.0.0.1 and ::1 as the kernel writes them. */
const LOOPBACK = ['0100007F', '00000000000000000000000001000000']

interface TcpSocket {
  readonly port: string
  readonly remote: string
  readonly state: string
}

/** Whether somebody from outside is connected to a port that is listened on, in the network namespace of a process. */
export async function hasIncomingConnections(pid: number): Promise<boolean> {
  const sockets = (await Promise.all(['tcp', 'tcp6'].map((table) => readSockets(`/proc/${pid}/net/${table}`)))).flat()
  const served = new Set(sockets.filter(({ state }) => state === STATE.listen).map(({ port }) => port))
  return sockets.some(
    ({ port, remote, state }) => state === STATE.established && served.has(port) && !LOOPBACK.includes(remote),
  )
}

/** proc_pid_net(5). Empty of a process that is gone. */
async function readSockets(path: string): Promise<TcpSocket[]> {
  const table = await readFile(path, 'utf8').catch(() => '')
  return table
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [, local = '', remote = '', state = ''] = line.trim().split(/\s+/)
      return { port: local.split(':')[1] ?? '', remote: remote.split(':')[0]!, state }
    })
}
