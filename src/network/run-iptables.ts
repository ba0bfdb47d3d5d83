import { StatusError } from '../lib/errors.ts'
import type { Family } from '../lib/ip-address.ts'
import type { KernelThread } from '../linux/kernel-thread.ts'
import { runProgram } from '../linux/run-program.ts'

const WAIT_SECONDS = '10'

/** The name of the program that keeps the rules of a family. */
export const IPTABLES = { 4: 'iptables', 6: 'ip6tables' } as const

/** All rules of the family. @throws {StatusError} if the host cannot have any */
export function saveRules(thread: KernelThread, family: Family): Promise<string> {
  return run(thread, `${IPTABLES[family]}-save`, [])
}

/** Changes what the text names, and nothing else. @throws {StatusError} */
export async function restoreRules(thread: KernelThread, family: Family, text: string): Promise<void> {
  await run(thread, `${IPTABLES[family]}-restore`, ['--noflush', '--wait', WAIT_SECONDS], text)
}

async function run(thread: KernelThread, program: string, args: readonly string[], input?: string): Promise<string> {
  const result = await runProgram(thread, program, args, input)
  if (result === undefined) {
    throw new StatusError('failed_precondition', `Cannot set firewall rules: ${program} is not installed`)
  }
  const { exitCode, stdout, stderr } = result
  if (exitCode === 0) return stdout
  const command = [program, ...args].join(' ')
  const lastLines = stderr.trim().split('\n').slice(-5).join('; ')
  throw new StatusError('internal', `Cannot set firewall rules: "${command}" exited with ${exitCode}: ${lastLines}`, {
    details: { command, exitCode },
  })
}
