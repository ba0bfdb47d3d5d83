import { StatusError } from '../lib/errors.ts'
import type { Endpoint } from './endpoint.ts'

/** The answer to 401 for those who did not say who they are. */
export function loginNeeded({ host, repository }: Endpoint): StatusError {
  return new StatusError(
    'unauthenticated',
    `Registry ${host} does not give ${repository === '' ? 'anything' : `"${repository}"`} to everybody: it does not exist, or credentials are needed; log in with "raind login ${host}", or put them in the configuration ("auth" of this registry, or "dockerConfigFile")`,
  )
}

/** The answer to 401 for those who did. */
export function wrongCredentials({ host, auth }: Endpoint): StatusError {
  const who = auth?.username ? ` of user "${auth.username}"` : ''
  return new StatusError(
    'unauthenticated',
    `Registry ${host} does not accept the credentials${who}: wrong name or password; correct them where they were given, by "raind login" or in the configuration`,
  )
}

/** The credentials are right but do not reach far enough. */
export function accessDenied({ host, repository }: Endpoint): StatusError {
  return new StatusError(
    'permission_denied',
    `Registry ${host} denies access to "${repository}": it does not exist, or these credentials do not allow this`,
  )
}

/** Any other answer that is not the one wanted. `what` was asked for; `body` is the answer's beginning. */
export function refusal(
  endpoint: Endpoint,
  { what, verb = 'get' }: { readonly what: string; readonly verb?: 'get' | 'push' },
  status: number,
  body: string,
): StatusError {
  const { host, repository } = endpoint
  if (status === 403) return accessDenied(endpoint)
  if (status === 404) {
    return new StatusError('not_found', `Cannot find ${what}: registry ${host} has no such thing in "${repository}"`)
  }
  return new StatusError(
    'unavailable',
    `Cannot ${verb} ${what}: registry ${host} answers with status ${status}${said(body)}`,
  )
}

/** The first of the errors that a registry gives as reason (distribution-spec, "Error Codes"), as one printable line. */
function said(body: string): string {
  try {
    const { code, message } = JSON.parse(body).errors[0]
    const text = [code, message].filter((part) => typeof part === 'string' && part !== '').join(': ')
    return text === '' ? '' : ` and says: ${text.replaceAll(/[\p{C}\s]+/gu, ' ').slice(0, 200)}`
  } catch {
    return ''
  }
}
