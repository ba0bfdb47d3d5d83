import { createConnection } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DaemonFixture } from '../../test/support/daemon-fixture.ts'

export async function apply({ daemon }: DaemonFixture, object: object): Promise<void> {
  const answer = await daemon.api.post('/v1/resource/apply', JSON.stringify(object))
  if (answer.status !== 201) throw new Error(answer.text)
}

/** Until it is there. A reset leaves no port in TIME_WAIT behind. */
export function connect(host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const socket = createConnection({ host, port }, () => {
    socket.resetAndDestroy()
    resolve()
  })
  socket.on('error', reject)
  return promise
}

/** Until somebody accepts connections there, or nobody does. */
export async function untilReachable(host: string, port: number, isWanted = true): Promise<void> {
  for (let tries = 0; tries < 5000; tries++) {
    const isThere = await connect(host, port).then(
      () => true,
      () => false,
    )
    if (isThere === isWanted) return
    await sleep(1)
  }
  throw new Error(`${host}:${port} is ${isWanted ? 'not ' : ''}there`)
}
