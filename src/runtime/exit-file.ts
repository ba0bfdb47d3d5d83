import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { systemCode } from '../lib/errors.ts'

export interface ExitFile {
  /** 128 + signal for a killed process. */
  readonly exitCode: number
  /** ms */
  readonly finishedAt: number
}

/**
 * What conmon has written before it ended: the decimal exit code. Undefined if it has not. In memory, and read at once:
 * somebody waits to hear of the end.
 */
export function readExitFile(path: string): ExitFile | undefined {
  try {
    const fd = openSync(path, 'r')
    try {
      const text = readFileSync(fd, 'utf8')
      return /^-?\d+$/.test(text)
        ? { exitCode: Number(text), finishedAt: Math.round(fstatSync(fd).mtimeMs) }
        : undefined
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
