import { DEFAULT_DETACH_KEYS, parseDetachKeys } from '../../lib/detach-keys.ts'
import { messageOf } from '../../lib/errors.ts'
import type { FlagSpec, Flags } from '../command.ts'
import { usageError } from '../errors.ts'

export const DETACH_FLAG: Readonly<Record<string, FlagSpec>> = {
  'detach-keys': {
    type: 'string',
    value: 'KEYS',
    help: `what leaves the process alone, from a terminal (default ${DEFAULT_DETACH_KEYS})`,
  },
}

/** @throws {CliError} */
export function detachKeysOf(flags: Flags): Uint8Array {
  try {
    return parseDetachKeys(flags.text('detach-keys') ?? DEFAULT_DETACH_KEYS)
  } catch (error) {
    throw usageError(messageOf(error))
  }
}
