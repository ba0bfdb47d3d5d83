import { readdirSync, readFileSync } from 'node:fs'
import { systemCode } from '../lib/errors.ts'

/** Of /proc/PID/stat, what identifies a process: pids are used again, a pid with its start time is not. */
export interface ProcessStat {
  readonly parent: number
  readonly session: number
  /** Clock ticks after boot (field 22). */
  readonly startTime: number
  /** Dead, and not reaped yet. */
  readonly isZombie: boolean
}

/** Undefined if there is no such process. */
export function processStat(pid: number): ProcessStat | undefined {
  const text = readProc(`${pid}/stat`)
  return text === undefined ? undefined : parseProcessStat(text)
}

/** The command's name, in parentheses, may itself hold spaces and parentheses: fields count from the last one. */
export function parseProcessStat(text: string): ProcessStat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return {
    parent: Number(fields[1]),
    session: Number(fields[3]),
    startTime: Number(fields[19]),
    isZombie: fields[0] === 'Z' || fields[0] === 'X',
  }
}

/** Undefined for a process that has ended; empty for a kernel thread. */
export function commandLine(pid: number): string[] | undefined {
  return readProc(`${pid}/cmdline`)?.split('\0').slice(0, -1)
}

/** Every process that this one can see. Costs about 2 ms for a hundred. */
export function processIds(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0)
}

/** Of all its threads, zombies too (proc_pid_task_children(5)); none of a process that is gone. */
export function childrenOf(pid: number): number[] {
  return threadsOf(pid).flatMap((thread) => numbersIn(readProc(`${pid}/task/${thread}/children`) ?? ''))
}

/** Differs after every boot of the host. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

function threadsOf(pid: number): string[] {
  return ifThere(() => readdirSync(`/proc/${pid}/task`)) ?? []
}

function numbersIn(text: string): number[] {
  return text.split(' ').filter(Boolean).map(Number)
}

function readProc(name: string): string | undefined {
  return ifThere(() => readFileSync(`/proc/${name}`, 'utf8'))
}

/** Undefined of a process that is gone; that this one may open no more files is no sign of that. */
function ifThere<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}
