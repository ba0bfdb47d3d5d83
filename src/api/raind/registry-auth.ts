import type { CreateContainer } from '../../containers/index.ts'
import { StatusError } from '../../lib/errors.ts'
import { object, optional, parse, string } from '../../lib/schema.ts'

export type RegistryAuth = NonNullable<CreateContainer['auth']>

const text = optional(string({ maxLength: 131_072 }))
/** As docker's clients send it (Engine API, X-Registry-Auth). */
const registryAuth = object({
  username: text,
  password: text,
  email: text,
  auth: text,
  serveraddress: text,
  identitytoken: text,
  registrytoken: text,
})

/** The credentials of an `X-Registry-Auth` header, base64 or base64url of JSON. @throws {StatusError} `invalid_argument` */
export function parseRegistryAuth(header: string): RegistryAuth {
  const auth = parse(registryAuth, decode(header), 'X-Registry-Auth')
  return {
    ...(auth.username !== undefined && { username: auth.username }),
    ...(auth.password !== undefined && { password: auth.password }),
    ...(auth.identitytoken !== undefined && { identityToken: auth.identitytoken }),
    ...(auth.registrytoken !== undefined && { registryToken: auth.registrytoken }),
  }
}

function decode(header: string): unknown {
  try {
    return JSON.parse(Buffer.from(header, 'base64').toString())
  } catch {
    // What JSON.parse says would show what it was given, and that is a secret.
    throw new StatusError('invalid_argument', 'X-Registry-Auth must be the base64 of a JSON object')
  }
}
