import type { Invocation } from '../command.ts'
import { readProject } from './project.ts'

/** The bottle that is named, or that of the files here. */
export async function bottleOf({ args, flags, terminal }: Invocation): Promise<string> {
  return args[0] ?? flags.text('project-name') ?? (await readProject(flags, terminal.stdin)).name
}

export function pathOf(bottle: string, action?: string): string {
  const path = `/v1/bottle/${encodeURIComponent(bottle)}`
  return action === undefined ? path : `${path}/actions/${action}`
}
