import { readFileSync } from 'node:fs'
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { RequestOptions } from 'node:https'
import type { ClientOptions } from 'ws'
import { http, https } from '../lib/node-http.ts'
import { CliError, usageError } from './errors.ts'

const DEFAULT_SOCKET = '/run/condenser/condenser.sock'
const DEFAULT_PORT = 7755
const CERTIFICATES = '/etc/raind/cert'

/** Where the daemon is. */
export interface Endpoint {
  /** As people know it. */
  readonly name: string
  request(options: RequestOptions, onAnswer: (answer: IncomingMessage) => void): ClientRequest
  /** How a WebSocket gets there. */
  webSocket(path: string): { readonly url: string; readonly options: ClientOptions }
  /** What a failed connection means. */
  explain(error: NodeJS.ErrnoException): CliError
}

/** What says where the daemon is: flags go before the environment, a host before a socket. */
export interface EndpointChoice {
  readonly host?: string | undefined
  readonly socket?: string | undefined
  readonly cacert?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** @throws {CliError} for a host that is none, or certificates that cannot be read */
export function findEndpoint(choice: EndpointChoice): Endpoint {
  const { CONDENSER_HOST, CONDENSER_SOCKET } = choice.environment
  if (choice.host !== undefined && choice.socket !== undefined) {
    throw usageError('--host and --socket both say where the daemon is; give one of them')
  }
  const host = choice.host ?? (choice.socket === undefined ? CONDENSER_HOST || undefined : undefined)
  if (host === undefined) return unixEndpoint(choice.socket ?? (CONDENSER_SOCKET || DEFAULT_SOCKET))
  if (host.startsWith('unix://')) return unixEndpoint(host.slice('unix://'.length))
  return tlsEndpoint(parseHost(host), choice)
}

function parseHost(host: string): URL {
  const url = URL.parse(host)
  if (url?.protocol === 'https:' && url.pathname === '/' && url.search === '' && url.username === '') return url
  throw usageError(
    `The host "${host}" is not an address of the daemon`,
    'Give https://localhost:7755, or unix:///run/condenser/condenser.sock',
  )
}

function unixEndpoint(socketPath: string): Endpoint {
  return {
    name: socketPath,
    // Without a server name node:http asks whether "localhost" is an IPv6 address, by a pattern that takes 13 ms to compile.
    request: (options, onAnswer) => http.request({ socketPath, servername: '', ...options }, onAnswer),
    webSocket: (path) => ({ url: `ws+unix:${socketPath}:${path}`, options: {} }),
    explain(error) {
      switch (error.code) {
        case 'ENOENT':
        case 'ECONNREFUSED':
          return new CliError(
            `Cannot connect to the Raind daemon at ${socketPath}: it is not running`,
            'Start it with: sudo condenser (from a checkout: sudo ./bin/condenser)',
          )
        case 'EACCES':
        case 'EPERM':
          return new CliError(`No permission to use ${socketPath}`, 'Run the command with sudo')
        default:
          return broken(socketPath, error)
      }
    },
  }
}

function tlsEndpoint(url: URL, { cacert, cert, key }: EndpointChoice): Endpoint {
  const name = `https://${url.hostname}:${url.port || DEFAULT_PORT}`
  const caFile = cacert ?? `${CERTIFICATES}/raind.crt`
  const options = {
    // An IPv6 address has brackets in a URL only.
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port || DEFAULT_PORT,
    ca: read(caFile),
    cert: read(cert ?? `${CERTIFICATES}/raindClient.crt`),
    key: read(key ?? `${CERTIFICATES}/raindClient.key`),
    minVersion: 'TLSv1.3',
  } as const
  return {
    name,
    request: (rest, onAnswer) => https().request({ ...options, ...rest }, onAnswer),
    webSocket: (path) => ({ url: `wss://${url.hostname}:${options.port}${path}`, options }),
    explain(error) {
      const code = error.code ?? ''
      if (code === 'ECONNREFUSED') {
        const hint = 'Start it with: sudo condenser; it listens there unless told --listen none'
        return new CliError(`Cannot connect to the Raind daemon at ${name}: nobody listens there`, hint)
      }
      if (code === 'ECONNRESET' || code.startsWith('ERR_SSL')) {
        const hint = 'Give the pair that the daemon has made with --cert and --key'
        return new CliError(`The Raind daemon at ${name} does not accept the client certificate`, hint)
      }
      if (code.includes('CERT') || code.includes('VERIFY')) {
        const hint = "Copy raind.crt from the daemon's --cert-dir again, or name it with --cacert"
        return new CliError(`The certificate of ${name} is not the one in ${caFile}: ${error.message}`, hint)
      }
      return broken(name, error)
    },
  }
}

function read(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EACCES') throw new CliError(`No permission to read ${file}`, 'Run the command with sudo')
    const hint = 'The daemon makes its certificates at its first start; --cacert, --cert and --key say where they are'
    throw new CliError(`Cannot read ${file}: ${code === 'ENOENT' ? 'it is not there' : message}`, hint)
  }
}

function broken(name: string, { message }: Error): CliError {
  return new CliError(`The connection to the Raind daemon at ${name} failed: ${message}`)
}
