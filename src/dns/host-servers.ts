import { readFileSync, statSync } from 'node:fs'
import { isIP } from 'node:net'

const HOST = '/etc/resolv.conf'
/** What systemd-resolved asks itself, where HOST names only its stub. */
const BEHIND_RESOLVED = '/run/systemd/resolve/resolv.conf'
const RESOLVED_STUB = '127.0.0.53'
/** As resolv.conf(5) has it. */
const SERVERS_LIMIT = 3

/**
 * The servers that the host asks. As glibc does, it looks at each use whether the files have changed, which costs a
 * few µs and holds through links, mounts and renames, where a watch would not.
 */
export class HostServers {
  #servers: readonly string[] = []
  #stamp = ''

  /** The same array for as long as nothing has changed. */
  current(): readonly string[] {
    const stamp = `${stampOf(HOST)} ${stampOf(BEHIND_RESOLVED)}`
    if (stamp !== this.#stamp) {
      this.#servers = hostServers(readIfThere(HOST), readIfThere(BEHIND_RESOLVED))
      this.#stamp = stamp
    }
    return this.#servers
  }
}

/** @param resolved the text of systemd-resolved's own file */
export function hostServers(host: string, resolved: string): readonly string[] {
  const servers = nameservers(host)
  const behind = servers.includes(RESOLVED_STUB) ? nameservers(resolved) : []
  return (behind.length > 0 ? behind : servers).slice(0, SERVERS_LIMIT)
}

function nameservers(text: string): string[] {
  return text
    .split('\n')
    .flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? [])
    .filter((address) => isIP(address) !== 0)
}

function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat === undefined ? '' : `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}`
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
