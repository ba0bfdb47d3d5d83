import { join } from 'node:path'
import { connectSeqpacket } from '../linux/seqpacket.ts'
import type { RuntimeAttach } from './types.ts'

/** What conmon puts before each packet of output (conmon: src/ctr_stdio.c). */
const STDERR = 3
/** conmon reads packets of 32 KiB, and loses what is longer (conmon: src/conn_sock.c, CONN_SOCK_BUF_SIZE). */
const PACKET_BYTES = 16 * 1024

/**
 * Connects to the streams that a conmon holds. conmon waits for every connection to take what it writes, and its
 * container with it: who is not read must be disposed.
 */
export function attachTo(bundle: string): RuntimeAttach {
  let tell: Parameters<RuntimeAttach['onOutput']>[0] = () => {}
  const connection = connectSeqpacket(join(bundle, 'attach'), PACKET_BYTES, (packet) =>
    tell(packet[0] === STDERR ? 'stderr' : 'stdout', packet.subarray(1)),
  )
  return {
    stdin: connection,
    onOutput(listener) {
      tell = listener
      connection.resume()
    },
    onEnd(listener) {
      connection.on('error', () => {}).once('close', listener)
    },
    pause: () => void connection.pause(),
    resume: () => void connection.resume(),
    [Symbol.dispose]: () => void connection.destroy(),
  }
}
