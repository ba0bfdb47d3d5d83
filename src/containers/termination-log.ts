import { chmod, mkdir, open, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Ctx } from '../lib/ctx.ts'
import { systemCode } from '../lib/errors.ts'
import type { Container, Mount } from '../model/container.ts'
import type { Deps, Paths } from './deps.ts'
import { readLogTail } from './log-reader.ts'

/** kubelet's limits: of a file, and of the end of a log. */
const FILE_BYTES = 4096
const LOG_BYTES = 2048
const LOG_LINES = 80

/** A file of its own, into which a container of a pod may write why it ends; the pod's record owns it. */
export async function makeTerminationLog(
  paths: Paths,
  place: TerminationLogPlace,
  destination: string,
): Promise<Mount> {
  const source = fileOf(paths, place)
  await mkdir(dirname(source), { recursive: true, mode: 0o700 })
  await writeFile(source, '')
  // Whatever the daemon's umask: its user may be any.
  await chmod(source, 0o666)
  return { source, destination, readOnly: false, propagation: 'rprivate' }
}

export interface TerminationLogPlace {
  readonly podUid: string
  readonly container: string
  readonly attempt: number
}

/**
 * What a container that has ended says of it: its file, or if that is empty and `orLog` the end of its log. Empty if
 * there is neither.
 */
export async function readTerminationLog(
  ctx: Ctx,
  { paths }: Pick<Deps, 'paths'>,
  { metadata, spec }: Container,
  orLog: boolean,
): Promise<string> {
  const { name, attempt } = spec.pod!
  const text = await startOf(fileOf(paths, { podUid: metadata.owner!.uid, container: name, attempt }))
  if (text !== '' || !orLog) return text
  const end: Uint8Array[] = []
  for await (const chunk of readLogTail(ctx, paths.log(metadata.uid), { tailLines: LOG_LINES })) end.push(chunk)
  return Buffer.concat(end).subarray(-LOG_BYTES).toString()
}

/** Idempotent. */
export async function removeTerminationLog(paths: Paths, { metadata, spec }: Container): Promise<void> {
  const { name, attempt } = spec.pod!
  await rm(fileOf(paths, { podUid: metadata.owner!.uid, container: name, attempt }), { force: true })
}

/** Of a file that a container may have made as large as it likes. */
async function startOf(file: string): Promise<string> {
  try {
    await using handle = await open(file, 'r')
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(FILE_BYTES), 0, FILE_BYTES, 0)
    return buffer.subarray(0, bytesRead).toString()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return ''
    throw error
  }
}

function fileOf(paths: Paths, { podUid, container, attempt }: TerminationLogPlace): string {
  return join(paths.pod(podUid), 'termination', `${container}_${attempt}`)
}
