import { open } from 'node:fs/promises'
import { systemCode } from '../lib/errors.ts'

export interface ExitFile {
  /** 128 + signal for a killed process. */
  readonly exitCode: number
  /** ms */
  readonly finishedAt: number
}

/** What conmon has written before it ended: the decimal exit code. Undefined if it has not. */
export async function readExitFile(path: string): Promise<ExitFile | undefined> {
  try {
    await using file = await open(path)
    const text = await file.readFile('utf8')
    if (!/^-?\d+$/.test(text)) return undefined
    return { exitCode: Number(text), finishedAt: Math.round((await file.stat()).mtimeMs) }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
