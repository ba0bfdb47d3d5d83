/**
 * node:http without the 15 MB that importing it costs: an import statement reads every export of a built-in module,
 * and reading `WebSocket` loads all of undici. Types may be imported from node:http as usual.
 */
export const http = process.getBuiltinModule('node:http')

/** node:https in the same way; loaded at the first use, because TLS takes another 5 MB. */
export function https(): typeof import('node:https') {
  return process.getBuiltinModule('node:https')
}
