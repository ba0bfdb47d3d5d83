import { createWriteStream, promises as files } from 'node:fs'
import type { Client } from '../client.ts'
import type { Command, Terminal } from '../command.ts'
import { CliError, usageError } from '../errors.ts'
import { catchInterruption } from '../interruption.ts'

export const save: Command = {
  names: ['image save', 'save'],
  summary: 'Write images to an archive',
  usage: 'IMAGE...',
  flags: {
    output: { type: 'string', short: 'o', value: 'FILE', help: 'write to a file instead of stdout' },
    format: { type: 'string', value: 'FORMAT', help: 'oci (default) or docker, which "docker load" of any age reads' },
  },
  minArgs: 1,
  async run({ client, terminal, flags, args, json }) {
    const output = flags.text('output')
    const format = flags.text('format') ?? 'oci'
    if (format !== 'oci' && format !== 'docker') throw usageError(`--format is oci or docker, not "${format}"`)
    const query = new URLSearchParams([['format', format], ...args.map((image) => ['image', image])])
    const path = `/v1/images/save?${query}`
    await writeArchive({ client, terminal, path, output, usage: 'raind image save -o FILE IMAGE' })
    if (output !== undefined) terminal.stdout.write(json ? `${JSON.stringify({ output, images: args })}\n` : '')
  },
}

interface ArchiveWish {
  readonly client: Client
  readonly terminal: Terminal
  /** What the API answers with an archive. */
  readonly path: string
  /** Absent: stdout, if that is no terminal. */
  readonly output: string | undefined
  readonly usage: string
}

/** @throws {CliError} */
export async function writeArchive({ client, terminal, path, output, usage }: ArchiveWish): Promise<void> {
  if (output === undefined && terminal.stdout.isTTY) {
    throw new CliError('An archive is nothing to look at: stdout is a terminal', `Usage: ${usage}`)
  }
  const archive = await client.stream('GET', path)
  const { pipeline } = process.getBuiltinModule('node:stream/promises')
  if (output === undefined) await pipeline(archive, terminal.stdout, { end: false })
  else await writeWhole(archive, output)
}

/** A file appears when it is whole, or not at all; devices and FIFOs are written as they are. */
async function writeWhole(archive: NodeJS.ReadableStream, file: string): Promise<void> {
  using interruption = catchInterruption()
  const { signal } = interruption
  const isSpecial = await files.lstat(file).then(
    (stat) => !stat.isFile(),
    () => false,
  )
  const target = isSpecial ? file : `${file}.${process.pid}.tmp`
  try {
    await process.getBuiltinModule('node:stream/promises').pipeline(archive, createWriteStream(target), { signal })
    if (target !== file) await files.rename(target, file)
  } catch (error) {
    if (target !== file) await files.rm(target, { force: true })
    signal.throwIfAborted()
    throw new CliError(`Cannot write ${file}: ${(error as Error).message}`)
  }
}
