import { StatusError } from '../../lib/errors.ts'
import { type Route, route } from '../http/route.ts'

/**
 * The routes of network policies, and of the log of what they have let through and not. There are no policies yet:
 * each answers so, in the envelope, whatever it is asked, so that clients show people a sentence.
 */
export function policyRoutes(): readonly Route[] {
  const policies = 'Network policies are not there yet: containers of one network reach each other, those of two do not'
  const netflow = 'There is no log of network flows yet: it comes with network policies'
  return [
    route('GET', '/v1/policies/:policy', {}, notYet(policies)),
    route('POST', '/v1/policies', {}, notYet(policies)),
    route('DELETE', '/v1/policies/:policy', {}, notYet(policies)),
    route('POST', '/v1/policies/commit', {}, notYet(policies)),
    route('POST', '/v1/policies/revert', {}, notYet(policies)),
    route('POST', '/v1/policies/ns/mode', {}, notYet(policies)),
    route('GET', '/v1/logs/netflow', {}, notYet(netflow)),
  ]
}

function notYet(message: string): () => never {
  return () => {
    throw new StatusError('unimplemented', message)
  }
}
