import { Readable } from 'node:stream'
import type { Failure, WireBottleStep, WireRegisteredBottle } from '../../api/raind/index.ts'
import { linesOf, textOf } from '../client.ts'
import type { Invocation } from '../command.ts'
import { isImageThere, pullImages } from '../commands/pull.ts'
import { CliError } from '../errors.ts'
import { catchInterruption } from '../interruption.ts'
import { type ProjectText, readProject } from './project.ts'

/** @throws {CliError} */
export async function createBottle(invocation: Invocation): Promise<void> {
  const { client, flags, terminal, json } = invocation
  const { text, services } = await readProject(flags, terminal.stdin)
  await pullMissing(invocation, services)
  const answer = await client.stream('POST', '/v1/bottle?pulled=true', { input: inputOf(text) })
  const { data } = JSON.parse(await textOf(answer)) as { readonly data: WireRegisteredBottle }
  warn(terminal, data.warnings ?? [])
  terminal.stdout.write(json ? `${JSON.stringify(data, undefined, 2)}\n` : `${data.bottleId}\n`)
}

/** @throws {CliError} */
export async function bringUp(invocation: Invocation): Promise<void> {
  const { client, flags, terminal, json } = invocation
  const { text, services } = await readProject(flags, terminal.stdin)
  await pullMissing(invocation, services)
  const query = new URLSearchParams({
    recreate: String(flags.is('force-recreate')),
    noStart: String(flags.is('no-start')),
    pulled: 'true',
    ...(flags.number('timeout') !== undefined && { timeout: String(flags.number('timeout')) }),
  })
  const answer = await client.stream('PUT', `/v1/bottle?${query}`, { input: inputOf(text) })
  using interruption = catchInterruption('The daemon goes on with it; raind bottle ps shows how far it is')
  interruption.signal.addEventListener('abort', () => answer.destroy(interruption.signal.reason))
  let isDone = false
  for await (const line of linesOf(answer)) {
    const step = JSON.parse(line) as WireBottleStep | Failure
    if ('status' in step) throw new CliError(step.message)
    if (json) terminal.stdout.write(`${line}\n`)
    if (step.type === 'done') {
      isDone = true
      warn(terminal, step.bottle.warnings ?? [])
      if (!json) terminal.stdout.write(`${step.bottle.bottleName} is up\n`)
    } else if (!json) terminal.stdout.write(`${step.what} ${step.name} ${step.did}\n`)
  }
  if (!isDone)
    throw new CliError('The connection to the daemon broke off before the end', 'Run it again: what is done stays')
}

/** Here, since only the client has credentials, and one who waits wants to see how far it is. */
async function pullMissing(invocation: Invocation, services: ProjectText['services']): Promise<void> {
  const { always = [], missing = [] } = Object.groupBy(Object.values(services), ({ pull }) => pull)
  const needed = new Set(always.map(({ image }) => image))
  await Promise.all(
    missing.map(async ({ image }) => {
      if (!needed.has(image) && !(await isImageThere(invocation, image))) needed.add(image)
    }),
  )
  const images = [...needed].map((image) => ({ image }))
  const quiet = invocation.json || invocation.flags.is('quiet-pull')
  if (images.length > 0) await pullImages({ ...invocation, json: false }, images, quiet)
}

/** @throws {CliError} */
export async function printProject({ flags, terminal, json }: Invocation): Promise<void> {
  const { text, warnings } = await readProject(flags, terminal.stdin)
  warn(terminal, warnings)
  if (json) {
    terminal.stdout.write(`${text}\n`)
    return
  }
  const { parse, stringify } = await import('yaml')
  terminal.stdout.write(stringify(parse(text)))
}

function warn(terminal: Invocation['terminal'], warnings: readonly string[]): void {
  for (const warning of warnings) terminal.stderr.write(`Warning: ${warning}\n`)
}

function inputOf(text: string): Readable {
  return Readable.from([text], { objectMode: false })
}
