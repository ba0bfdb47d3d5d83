import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { WireEvent } from '../../src/api/raind/index.ts'
import type { Home } from './daemon.ts'
import { inTime } from './eventually.ts'

export interface EventStream extends Disposable {
  /** The next ones, as many as these. This and all that follows fail when they do not come in time. */
  take(count: number): Promise<WireEvent[]>
  /** Up to the first that fits, that one included. */
  until(fits: (event: WireEvent) => boolean): Promise<WireEvent[]>
  /** All up to the end of the connection. */
  rest(): Promise<WireEvent[]>
}

/** Follows a daemon's events; when this resolves, nothing that happens afterwards is missed. */
export async function followEvents({ run }: Pick<Home, 'run'>, query = ''): Promise<EventStream> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const options = { socketPath: join(run, 'condenser.sock'), path: `/v1/events?${query}`, agent: false }
  const outgoing = request(options, resolve).on('error', reject).end()
  const answer = await promise
  if (answer.statusCode !== 200) throw new Error(`events answered ${answer.statusCode}`)
  const lines = createInterface({ input: answer })[Symbol.asyncIterator]()
  // A daemon that is killed breaks the connection off: that is an end like any other.
  answer.on('error', () => {})
  const next = async () => {
    const { done, value } = await lines.next()
    return done ? undefined : (JSON.parse(value) as WireEvent)
  }
  const until = async (enough: (taken: readonly WireEvent[]) => boolean, mayEnd = false) => {
    const taken: WireEvent[] = []
    const take = async () => {
      while (!enough(taken)) {
        const event = await next()
        if (event === undefined && mayEnd) break
        if (event === undefined) throw new Error(`The events ended after ${JSON.stringify(taken)}`)
        taken.push(event)
      }
      return taken
    }
    return await inTime(take(), () => taken)
  }
  return {
    take: (count) => until((taken) => taken.length === count),
    until: (fits) => until((taken) => taken.length > 0 && fits(taken.at(-1)!)),
    rest: () => until(() => false, true),
    [Symbol.dispose]() {
      outgoing.destroy()
    },
  }
}
