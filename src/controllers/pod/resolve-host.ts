import { isIP } from 'node:net'

/**
 * An address of a name that a manifest gives, which may be anybody's. It is asked for without getaddrinfo: that would
 * keep a thread of the pool, which files need, for as long as a name server does not answer.
 * @throws {Error} if there is none before the signal ends
 */
export async function resolveHost(signal: AbortSignal, host: string): Promise<string> {
  if (isIP(host) !== 0) return host
  if (host === 'localhost') return '127.0.0.1'
  signal.throwIfAborted()
  const { Resolver } = process.getBuiltinModule('node:dns').promises
  const resolver = new Resolver()
  const cancel = () => resolver.cancel()
  signal.addEventListener('abort', cancel)
  try {
    const [address] = await resolver.resolve4(host).catch((error) => {
      if (signal.aborted) throw error
      return resolver.resolve6(host)
    })
    if (address === undefined) throw new Error(`${host} has no address`)
    return address
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}
