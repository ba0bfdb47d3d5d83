import { createReadStream } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import type { Failure, WireProgress } from '../../api/raind/index.ts'
import { linesOf } from '../client.ts'
import type { Command, Invocation } from '../command.ts'
import { readCredentials, registryOf } from '../docker-config.ts'
import { CliError } from '../errors.ts'
import { catchInterruption } from '../interruption.ts'
import { progressView } from '../progress.ts'

/** Of pulls and pushes: others may wait for the same. */
export const GOES_ON = 'The daemon goes on with it; the same command joins it again'
export const NDJSON = 'application/x-ndjson'

export const pull: Command = {
  names: ['image pull', 'pull'],
  summary: 'Pull an image from a registry',
  usage: 'IMAGE',
  flags: {
    os: { type: 'string', value: 'OS', help: 'operating system of the image' },
    arch: { type: 'string', value: 'ARCH', help: 'architecture of the image' },
    quiet: { type: 'boolean', short: 'q', help: 'show no progress' },
  },
  minArgs: 1,
  maxArgs: 1,
  async run(invocation) {
    const { flags, args, json, terminal } = invocation
    const [image] = args
    await pullImages(invocation, [{ image: image!, os: flags.text('os'), arch: flags.text('arch') }])
    if (!json) terminal.stdout.write(`image: ${image} pull completed\n`)
  },
}

export const load: Command = {
  names: ['image load', 'load'],
  summary: 'Load images from an archive: an OCI layout or what docker save wrote',
  usage: '[FILE]',
  flags: {
    input: { type: 'string', short: 'i', value: 'FILE', help: 'read from a file instead of stdin' },
    name: { type: 'string', value: 'NAME', help: 'name for an archive that holds none' },
    quiet: { type: 'boolean', short: 'q', help: 'show no progress' },
  },
  maxArgs: 1,
  async run(invocation) {
    const { client, flags, args, terminal, json } = invocation
    const file = args[0] ?? flags.text('input')
    if (file === undefined && terminal.stdin.isTTY) {
      throw new CliError(
        'Nothing to load: stdin is a terminal',
        'Usage: raind image load FILE, or raind image load < FILE',
      )
    }
    const input = file === undefined || file === '-' ? terminal.stdin : createReadStream(file)
    const name = flags.text('name')
    const path = `/v1/images/load${name === undefined ? '' : `?name=${encodeURIComponent(name)}`}`
    const answer = await client.stream('POST', path, { input, accept: NDJSON })
    const loaded = await showProgress(
      invocation,
      [answer],
      'Nothing of the archive is kept, unless it was whole by then',
    )
    if (!json) for (const image of loaded) terminal.stdout.write(`image: ${image} loaded\n`)
  },
}

/** Whether the daemon has it. */
export async function isImageThere({ client }: Invocation, image: string): Promise<boolean> {
  try {
    await client.call('GET', `/v1/images/status?image=${encodeURIComponent(image)}`)
    return true
  } catch (error) {
    if (error instanceof CliError && error.status === 404) return false
    throw error
  }
}

/** Pulls the image first, with progress, if the daemon does not have it. */
export async function ensureImage(invocation: Invocation, image: string): Promise<void> {
  if (!(await isImageThere(invocation, image))) await pullImages({ ...invocation, json: false }, [{ image }])
}

interface PullRequest {
  readonly image: string
  readonly os?: string | undefined
  readonly arch?: string | undefined
}

/** Side by side, with their progress together. */
export async function pullImages(
  invocation: Invocation,
  requests: readonly PullRequest[],
  quiet?: boolean,
): Promise<void> {
  const pulling = requests.map(async (body) => {
    const auth = await readCredentials(registryOf(body.image))
    return await invocation.client.stream('POST', '/v1/images', { body: { ...body, auth }, accept: NDJSON })
  })
  await showProgress(invocation, await Promise.all(pulling), GOES_ON, quiet)
}

/**
 * Shows the lines of ndjson answers as they come; returns the names of the images that are done.
 *
 * @param interruptedHint what the user should know who does not wait for the end
 */
export async function showProgress(
  { terminal, flags, json }: Invocation,
  answers: readonly IncomingMessage[],
  interruptedHint: string,
  quiet = flags.is('quiet') || json,
): Promise<string[]> {
  using interruption = catchInterruption(interruptedHint)
  const leave = (reason?: Error) => {
    for (const answer of answers) answer.destroy(reason)
  }
  interruption.signal.addEventListener('abort', () => leave(interruption.signal.reason))
  using view = progressView(terminal.stderr, { quiet })
  const show = async (answer: IncomingMessage) => {
    const done: string[] = []
    for await (const line of linesOf(answer)) {
      if (json) terminal.stdout.write(`${line}\n`)
      const event = JSON.parse(line) as WireProgress | Failure
      if (isFailure(event)) throw new CliError(event.message)
      if (event.type === 'done') done.push(event.image)
      else view.update(event)
    }
    if (done.length > 0) return done
    throw new CliError('The connection to the daemon broke off before the end', 'Try again: what was verified is kept')
  }
  try {
    return (await Promise.all(answers.map(show))).flat()
  } catch (error) {
    leave()
    throw error
  }
}

function isFailure(event: WireProgress | Failure): event is Failure {
  return 'status' in event && event.status === 'fail'
}
