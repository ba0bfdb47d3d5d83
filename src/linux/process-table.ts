import { readFile } from 'node:fs/promises'

/** A process, of what /proc tells (proc(5)). Times are clock ticks; those of the start count from the boot. */
export interface ProcessRow {
  readonly pid: number
  readonly parent: number
  /** Of the owner of its /proc files: its effective user. */
  readonly uid: number
  /** 0: none. */
  readonly terminal: number
  readonly cpuTicks: number
  readonly startTicks: number
  /** Its command line, or its name in brackets. */
  readonly command: string
}

/** The clock ticks of a second on every architecture that Linux has today (USER_HZ). */
export const TICKS_PER_SECOND = 100

/** Undefined for a process that has ended. */
export async function processRow(pid: number): Promise<ProcessRow | undefined> {
  try {
    const [stat, status, commandLine] = await Promise.all(
      ['stat', 'status', 'cmdline'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8')),
    )
    return parseProcessRow(pid, stat!, status!, commandLine!)
  } catch {
    return undefined
  }
}

/** The command's name, in parentheses, may itself hold spaces and parentheses: fields count from the last one. */
export function parseProcessRow(pid: number, stat: string, status: string, commandLine: string): ProcessRow {
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
  // A process may write what it likes there: nothing of it may move the reader's cursor.
  const words = commandLine.replace(/\0+$/, '').replaceAll(/[\x00-\x1f\x7f]/g, ' ')
  return {
    pid,
    parent: fields[1]!,
    terminal: fields[4]!,
    cpuTicks: fields[11]! + fields[12]!,
    startTicks: fields[19]!,
    uid: Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1] ?? 0),
    command: words === '' ? `[${name.replaceAll(/[\x00-\x1f\x7f]/g, '?')}]` : words,
  }
}
