import { lstatSync, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import type { WirePathStat } from '../../api/raind/index.ts'
import { TarParser } from '../../lib/tar/parser.ts'
import type { Client } from '../client.ts'
import type { Invocation } from '../command.ts'
import { CliError } from '../errors.ts'
import { byteMeter } from './byte-meter.ts'
import { type CopyTarget, planCopy, sourceName } from './copy-path.ts'
import { Extractor } from './extract.ts'
import { pack } from './pack.ts'

const DIRECTORY = 0o040000
const TYPE_MASK = 0o170000
const MAX_LINKS = 40

/** Resolves with the bytes copied. @throws {CliError} */
export async function copyOut(
  invocation: Invocation,
  container: string,
  path: string,
  target: string,
): Promise<number> {
  const { client, terminal, flags } = invocation
  const follow = flags.is('follow-link')
  const query = new URLSearchParams({ path, ...(follow && { follow: 'true' }) })
  if (target === '-') {
    if (terminal.stdout.isTTY) throw new CliError('An archive is nothing to look at: stdout is a terminal')
    const archive = await client.stream('GET', `${pathOf(container)}/archive?${query}`)
    await process.getBuiltinModule('node:stream/promises').pipeline(archive, terminal.stdout, { end: false })
    return 0
  }
  const found = await statIn(client, container, path, follow)
  const isDirectory = isDirectoryMode(found.mode)
  const plan = planCopy({ name: found.name, isDirectory }, target, kindHere(target))
  if (kindHere(plan.directory) !== 'directory') throw new CliError(`There is no directory "${plan.directory}"`)
  const archive = await client.stream('GET', `${pathOf(container)}/archive?${query}`)
  using meter = byteMeter(invocation, target)
  using extractor = new Extractor(plan.directory, {
    ...(plan.rename !== undefined && { rename: plan.rename }),
    keepOwner: flags.is('archive'),
    warn: (message) => terminal.stderr.write(`raind: ${message}\n`),
  })
  const parser = new TarParser(extractor)
  try {
    for await (const chunk of archive as AsyncIterable<Buffer>) {
      parser.push(chunk)
      meter.add(chunk.length)
    }
    parser.finish()
    extractor.finish()
  } catch (error) {
    throw error instanceof CliError ? error : new CliError(`Cannot copy to ${target}: ${(error as Error).message}`)
  }
  return meter.done()
}

/** Resolves with the bytes copied. @throws {CliError} */
export async function copyIn(invocation: Invocation, path: string, container: string, target: string): Promise<number> {
  const { client, terminal, flags } = invocation
  const there = await followedStat(client, container, target)
  const kind: CopyTarget = there === undefined ? 'absent' : isDirectoryMode(there.mode) ? 'directory' : 'other'
  using meter = byteMeter(invocation, `${container}:${target}`)
  if (path === '-') {
    if (kind !== 'directory') throw new CliError(`Cannot extract into "${container}:${target}": it is no directory`)
    await send(client, container, target, metered(terminal.stdin as AsyncIterable<Buffer>, meter.add))
    return meter.done()
  }
  // As in a container: a path that ends in a slash follows a link.
  const follow = flags.is('follow-link') || /\/\.?$/.test(path)
  const found = (follow ? statSync : lstatSync)(path, { throwIfNoEntry: false })
  if (found === undefined) throw new CliError(`No such file or directory on this host: "${path}"`)
  if (path.endsWith('/') && !found.isDirectory()) throw new CliError(`"${path}" is not a directory`)
  const isDirectory = found.isDirectory()
  const name = sourceName(path)
  const plan = planCopy({ name, isDirectory }, there?.path ?? target, kind)
  const packed = pack(path, { name: plan.rename ?? name, follow, keepOwner: flags.is('archive') })
  await send(client, container, plan.directory, metered(packed, meter.add))
  return meter.done()
}

async function send(client: Client, container: string, directory: string, tar: AsyncIterable<Buffer>): Promise<void> {
  const query = new URLSearchParams({ path: directory, noOverwriteDirNonDir: 'true' })
  const input = Readable.from(tar, { objectMode: false, highWaterMark: 1 << 20 })
  let failure: Error | undefined
  input.on('error', (error) => {
    failure = error
  })
  try {
    const answer = await client.stream('PUT', `${pathOf(container)}/archive?${query}`, { input })
    answer.resume()
  } catch (error) {
    throw failure === undefined ? error : new CliError(failure.message)
  } finally {
    input.destroy()
  }
}

async function* metered(chunks: AsyncIterable<Buffer>, count: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    count(chunk.length)
    yield chunk
  }
}

function statIn(client: Client, container: string, path: string, follow: boolean): Promise<WirePathStat> {
  const query = new URLSearchParams({ path, ...(follow && { follow: 'true' }) })
  return client.call<WirePathStat>('GET', `${pathOf(container)}/stat?${query}`)
}

/** What is there when symlinks at the end are followed, and where; undefined if nothing is. */
async function followedStat(
  client: Client,
  container: string,
  path: string,
): Promise<(WirePathStat & { path: string }) | undefined> {
  for (let links = 0; links < MAX_LINKS; links++) {
    try {
      const found = await statIn(client, container, path, false)
      if (found.linkTarget === '') return { ...found, path }
      path = found.linkTarget
    } catch (error) {
      if (error instanceof CliError && error.status === 404) return undefined
      throw error
    }
  }
  throw new CliError(`Too many symbolic links at "${container}:${path}"`)
}

function kindHere(path: string): CopyTarget {
  const found = statSync(path, { throwIfNoEntry: false })
  return found === undefined ? 'absent' : found.isDirectory() ? 'directory' : 'other'
}

function isDirectoryMode(mode: number): boolean {
  return (mode & TYPE_MASK) === DIRECTORY
}

function pathOf(container: string): string {
  return `/v1/containers/${encodeURIComponent(container)}`
}
