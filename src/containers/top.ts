import { readFile } from 'node:fs/promises'
import { uptime } from 'node:os'
import { assertAlive } from '../model/container.ts'
import { type ProcessRow, TICKS_PER_SECOND } from '../runtime/index.ts'
import type { Deps } from './deps.ts'
import { findContainer } from './find.ts'

/** As `ps -ef` shows it on the host, which docker's top runs. */
export interface ProcessTable {
  readonly titles: readonly string[]
  readonly processes: readonly (readonly string[])[]
}

const TITLES = ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD']

/** The processes in a container's cgroup, and in those below it. @throws {StatusError} `failed_precondition` */
export async function topContainer({ store, runtime }: Deps, ref: string): Promise<ProcessTable> {
  const { metadata, status } = store.read((tx) => findContainer(tx, ref))
  assertAlive(metadata.name, status, 'look at the processes of')
  const [found, users] = await Promise.all([runtime.processes(metadata.uid), hostUsers()])
  const now = Date.now()
  const bootMs = now - uptime() * 1000
  const rows = found.toSorted((a, b) => a.startTicks - b.startTicks || a.pid - b.pid)
  return { titles: TITLES, processes: rows.map((row) => formatRow(row, users, { now, bootMs })) }
}

/** @param times ms */
export function formatRow(
  { uid, pid, parent, cpuTicks, startTicks, terminal, command }: ProcessRow,
  users: ReadonlyMap<number, string>,
  { now, bootMs }: { readonly now: number; readonly bootMs: number },
): readonly string[] {
  const cpuSeconds = cpuTicks / TICKS_PER_SECOND
  const startedMs = bootMs + (startTicks / TICKS_PER_SECOND) * 1000
  const ageSeconds = Math.max(1, (now - startedMs) / 1000)
  return [
    users.get(uid) ?? String(uid),
    String(pid),
    String(parent),
    String(Math.min(99, Math.floor((cpuSeconds / ageSeconds) * 100))),
    startText(startedMs, now),
    terminalName(terminal),
    clock(cpuSeconds),
    command,
  ]
}

/** `14:05` for what began within a day, else `Jan02`, by the host's clock. */
function startText(startedMs: number, now: number): string {
  const started = new Date(startedMs)
  if (now - startedMs < 24 * 3600 * 1000) return started.toTimeString().slice(0, 5)
  return started.toDateString().slice(4, 10).replace(' ', '')
}

/** Of the numbers that a container's terminals have: pts are 136 to 143, 256 each. */
function terminalName(device: number): string {
  const [major, minor] = [(device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00)]
  if (major >= 136 && major <= 143) return `pts/${(major - 136) * 256 + minor}`
  return major === 4 ? `tty${minor}` : '?'
}

function clock(seconds: number): string {
  const whole = Math.floor(seconds)
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  return parts.map((part) => String(part).padStart(2, '0')).join(':')
}

/** A container's own names for its users mean nothing outside, where these pids are. */
async function hostUsers(): Promise<ReadonlyMap<number, string>> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '')
  const entries = text.split('\n').map((line) => line.split(':'))
  return new Map(entries.filter(([, , uid]) => /^\d+$/.test(uid ?? '')).map(([name, , uid]) => [Number(uid), name!]))
}
