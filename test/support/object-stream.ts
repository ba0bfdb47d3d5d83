import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Home } from './daemon.ts'
import { inTime } from './eventually.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look into objects of every kind
type KubeObject = any

export interface ObjectStream extends Disposable {
  /** The next change whose object fits: as it is then, what is there already included. Fails when time is up. */
  until(fits: (object: KubeObject, type: string) => boolean, timeoutMs?: number): Promise<KubeObject>
}

/** Follows objects of a kind: first what is there, then what changes. */
export async function followObjects({ run }: Pick<Home, 'run'>, kind: string, query = ''): Promise<ObjectStream> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const path = `/v1/objects/${kind}?watch=true&${query}`
  const outgoing = request({ socketPath: join(run, 'condenser.sock'), path, agent: false }, resolve)
  outgoing.on('error', reject).end()
  const answer = await promise
  if (answer.statusCode !== 200) throw new Error(`watch answered ${answer.statusCode}`)
  const lines = createInterface({ input: answer })[Symbol.asyncIterator]()
  answer.on('error', () => {})
  let last: KubeObject
  const next = async (fits: (object: KubeObject, type: string) => boolean) => {
    for (;;) {
      const { done, value } = await lines.next()
      if (done) throw new Error(`The watch ended after ${JSON.stringify(last)}`)
      const change = JSON.parse(value)
      if (change.object === undefined) throw new Error(value)
      last = change.object
      if (fits(change.object, change.type)) return change.object
    }
  }
  return {
    until: (fits, timeoutMs) => inTime(next(fits), () => last, timeoutMs),
    [Symbol.dispose]() {
      outgoing.destroy()
    },
  }
}
