import { StatusError } from '../lib/errors.ts'
import type { Device } from './container.ts'
import { absolutePath } from './mount.ts'

const ACCESS = /^[rwm]{1,3}$/

/** Parses `source[:destination][:access]`, as in `/dev/fuse:/dev/fuse:rwm`. @throws {StatusError} `invalid_argument` */
export function parseDevice(text: string): Device {
  const parts = text.split(':')
  const access = parts.length > 1 && !parts.at(-1)!.startsWith('/') ? parts.pop()! : 'rwm'
  const [source = '', destination = source, ...rest] = parts
  const fail = (problem: string) =>
    new StatusError('invalid_argument', `Invalid device "${text.slice(0, 200)}": ${problem}`)
  if (rest.length > 0) throw fail('want source[:destination][:access], as in /dev/fuse:/dev/fuse:rw')
  if (!ACCESS.test(access) || new Set(access).size < access.length) {
    throw fail(`the access "${access.slice(0, 20)}" must be some of r, w and m`)
  }
  return {
    source: absolutePath(fail, 'source', source),
    destination: absolutePath(fail, 'destination', destination),
    access,
  }
}
