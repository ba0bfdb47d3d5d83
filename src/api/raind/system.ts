import { type Route, route } from '../http/route.ts'
import { success } from './envelope.ts'
import type { WireHealth, WireVersion } from './types.ts'

/** The version of this API, apart from the program's. */
const API_VERSION = 'v1'

export interface DaemonInfo {
  readonly version: string
  readonly runtime: { readonly name: string; readonly version: string }
}

export function systemRoutes({ version, runtime }: DaemonInfo): readonly Route[] {
  return [
    route('GET', '/v1/version', {}, () => {
      const data: WireVersion = { version, apiVersion: API_VERSION, node: process.version, runtime }
      return success(200, 'retrieve version success', data)
    }),

    route('GET', '/v1/health', {}, () => {
      const data: WireHealth = { status: 'ok', uptimeMs: Math.round(process.uptime() * 1000) }
      return success(200, 'healthy', data)
    }),
  ]
}
