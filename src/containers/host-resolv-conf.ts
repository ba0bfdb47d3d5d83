import { readFile } from 'node:fs/promises'
import { systemCode } from '../lib/errors.ts'

/** The texts that containers' resolv.conf is made of; those behind systemd-resolved are absent where it does not run. */
export interface HostResolvConf {
  readonly host: string
  readonly resolved: string | undefined
}

export async function readHostResolvConf(): Promise<HostResolvConf> {
  const [host, resolved] = await Promise.all([
    readIfThere('/etc/resolv.conf'),
    readIfThere('/run/systemd/resolve/resolv.conf'),
  ])
  return { host: host ?? '', resolved }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
