import { readFileSync } from 'node:fs'
import { systemCode } from '../lib/errors.ts'

/** The texts that containers' resolv.conf is made of; those behind systemd-resolved are absent where it does not run. */
export interface HostResolvConf {
  readonly host: string
  readonly resolved: string | undefined
}

/** Small, and read so often that they are in memory: to hand that to another thread would cost more. */
export function readHostResolvConf(): HostResolvConf {
  const host = readIfThere('/etc/resolv.conf') ?? ''
  return { host, resolved: readIfThere('/run/systemd/resolve/resolv.conf') }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
