import { Readable } from 'node:stream'
import { type Client, textOf } from '../client.ts'
import type { Flags, Invocation } from '../command.ts'
import { CliError, usageError } from '../errors.ts'
import { inFiles, manifestBody } from './manifest-body.ts'
import { readManifestFiles } from './manifest-files.ts'

/** Sends the manifests that `-f` names, as one text, and resolves with the data of the answer. @throws {CliError} */
export async function sendManifests<T>({ client, flags, terminal }: Invocation, path: string): Promise<T> {
  const paths = flags.list('filename')
  if (paths.length === 0) throw usageError('No manifest is given', 'Give one with -f FILE, or - for stdin')
  const files = await readManifestFiles(paths, { recursive: flags.is('recursive'), stdin: terminal.stdin })
  try {
    return await sendText<T>(client, path, manifestBody(files))
  } catch (error) {
    if (!(error instanceof CliError) || error.status === undefined) throw error
    throw new CliError(await inFiles(error.message, files), error.hint, { status: error.status })
  }
}

export async function sendText<T>(client: Client, path: string, text: string): Promise<T> {
  const answer = await client.stream('POST', path, { input: Readable.from([text], { objectMode: false }) })
  return (JSON.parse(await textOf(answer)) as { readonly data: T }).data
}

/** Of what names none; what names another is at fault. */
export function namespaceQuery(flags: Flags): { readonly namespace?: string } {
  const namespace = flags.text('namespace')
  return namespace === undefined ? {} : { namespace }
}

/** Of apply and diff. 0 replicas are 0 in Kubernetes, though 1 to the original of Raind. */
export function applyQuery(flags: Flags): URLSearchParams {
  return new URLSearchParams({ zeroReplicas: 'true', force: String(flags.is('force')), ...namespaceQuery(flags) })
}
