import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Reads a limit on the host: version 1 has a hierarchy for each controller, version 2 one for all. */
export function cgroupLimit(pid: number, controller: string, v1: string, v2: string): string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trimEnd().split('\n')
  const own = lines.find((line) => line.split(':')[1]!.split(',').includes(controller))
  const unified = own === undefined
  const path = (own ?? lines.at(-1)!).split(':').slice(2).join(':')
  const mountPoint = unified ? '/sys/fs/cgroup' : join('/sys/fs/cgroup', hierarchy(controller))
  return readFileSync(join(mountPoint, path, unified ? v2 : v1), 'utf8').trim()
}

/** `cpu` may be mounted as `cpu,cpuacct`. */
function hierarchy(controller: string): string {
  return readdirSync('/sys/fs/cgroup').find((name) => name.split(',').includes(controller))!
}
