import { StatusError } from '../lib/errors.ts'
import { parseSeccompProfile, type SeccompProfile } from './seccomp-profile.ts'

/** What differs from the default sandbox. */
export interface SecurityOptions {
  /** Absent: the default profile. */
  readonly seccomp?: 'unconfined' | SeccompProfile
  /** The name of a profile that is loaded, or `unconfined`; absent: the default profile. */
  readonly apparmor?: string
  readonly noNewPrivileges?: boolean
  /** `unconfined`: nothing below /proc and /sys is masked or read-only. */
  readonly systemPaths?: 'unconfined'
}

const KNOWN = 'seccomp=unconfined, seccomp=PROFILE, apparmor=NAME, no-new-privileges, systempaths=unconfined'

/** Parses docker's list: `seccomp=` with a profile's JSON text, `apparmor=`, ... @throws {StatusError} `invalid_argument` */
export function parseSecurityOptions(texts: readonly string[]): SecurityOptions {
  return Object.assign({}, ...texts.map(parseSecurityOption))
}

function parseSecurityOption(text: string): SecurityOptions {
  const [, name = '', value = ''] = /^([^:=]*)(?:[:=](.*))?$/s.exec(text) ?? []
  switch (name) {
    case 'no-new-privileges':
      if (!['', 'true', 'false'].includes(value)) break
      return { noNewPrivileges: value !== 'false' }
    case 'apparmor':
      if (!/^[\x21-\x7e]{1,256}$/.test(value)) break
      return { apparmor: value }
    case 'systempaths':
      if (value !== 'unconfined') break
      return { systemPaths: value }
    case 'seccomp':
      if (value === '') break
      return { seccomp: value === 'unconfined' ? value : parseSeccompProfile(value) }
  }
  throw new StatusError('invalid_argument', `Invalid security option "${text.slice(0, 100)}": known are ${KNOWN}`)
}
