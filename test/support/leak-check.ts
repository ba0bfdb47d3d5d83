import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Home } from './daemon.ts'
import { portTables } from './nf-tables.ts'

const run = promisify(execFile)

/** Everything a daemon may leave on a machine, as sorted lines. */
export interface World {
  readonly mounts: readonly string[]
  readonly links: readonly string[]
  readonly rules: readonly string[]
  readonly cgroups: readonly string[]
  readonly processes: readonly string[]
  readonly files: readonly string[]
}

/** Looks at the kernel and at a daemon's directories as they are now. */
export async function observe(home: Home): Promise<World> {
  return {
    mounts: lines(readFileSync('/proc/self/mountinfo', 'utf8'))
      .map((line) => line.split(' ').slice(3, 5).join(' '))
      // Other programs of the host mount and unmount as they please.
      .filter((line) => line.includes(dirname(home.root)))
      .sort(),
    links: lines(readFileSync('/proc/net/dev', 'utf8'))
      .slice(2)
      .map((line) => line.split(':')[0]!.trim())
      .sort(),
    rules: [...(await firewallRules()), ...portTables()],
    cgroups: cgroupsBelow(home.cgroupParent),
    processes: processesOf(home),
    files: [
      ...filesBelow(join(home.root, 'containers')),
      ...filesBelow(join(home.root, 'content/ingest')),
      ...filesBelow(join(home.root, 'volumes')),
      ...filesBelow(join(home.root, 'pods')),
      ...filesBelow(join(home.root, 'bottles')),
      ...filesBelow(home.run),
    ]
      // The name server stays until the daemon ends: dns-daemon.test.ts looks after it.
      .filter((file) => !file.endsWith('/condenser.sock') && !`${file}/`.startsWith(join(home.run, 'dns/')))
      .sort(),
  }
}

/** Fails with what is there now and was not before, or the other way round. */
export async function assertNoLeak(before: World, home: Home): Promise<void> {
  let found = differences(before, await observe(home))
  // The kernel takes dead network namespaces and reaped processes apart in its own time.
  for (let tries = 0; tries < 600 && found.length > 0; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    found = differences(before, await observe(home))
  }
  assert.deepEqual(found, [])
}

function differences(before: World, after: World) {
  return (Object.keys(before) as (keyof World)[])
    .map((part) => ({
      part,
      added: after[part].filter((line) => !before[part].includes(line)),
      gone: before[part].filter((line) => !after[part].includes(line)),
    }))
    .filter(({ added, gone }) => added.length + gone.length > 0)
}

async function firewallRules(): Promise<string[]> {
  const saved = await Promise.all(['iptables-save', 'ip6tables-save'].map((program) => run(program)))
  return saved
    .flatMap(({ stdout }) => lines(stdout))
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.replace(/\[\d+:\d+\]/, ''))
    .sort()
}

function cgroupsBelow(parent: string): string[] {
  const roots = ['/sys/fs/cgroup', ...readdirSync('/sys/fs/cgroup').map((name) => join('/sys/fs/cgroup', name))]
  return roots.flatMap((root) => directoriesBelow(join(root, parent))).sort()
}

/** Processes whose command line names the daemon's directories, less the daemon itself and its name server. */
function processesOf(home: Home): string[] {
  const found: string[] = []
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const command = readIfThere(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
    if (
      command.includes(home.run) &&
      !command.includes('daemon/main') &&
      !command.includes('dns/main') &&
      !command.includes('condenser.js')
    )
      found.push(`${pid} ${command}`)
  }
  return found.sort()
}

function filesBelow(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true }).map((entry) =>
      join(entry.parentPath, entry.name),
    )
  } catch {
    return []
  }
}

function directoriesBelow(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
  } catch {
    return []
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}
