import type { Command } from '../command.ts'
import { readCredentials, registryOf } from '../docker-config.ts'
import { GOES_ON, NDJSON, showProgress } from './pull.ts'

export const push: Command = {
  names: ['image push', 'push'],
  summary: 'Push an image to the registry of its name',
  usage: 'IMAGE',
  flags: { quiet: { type: 'boolean', short: 'q', help: 'show no progress' } },
  minArgs: 1,
  maxArgs: 1,
  async run(invocation) {
    const { client, args, json, terminal } = invocation
    const image = args[0]!
    const auth = await readCredentials(registryOf(image))
    const answer = await client.stream('POST', '/v1/images/push', { body: { image, auth }, accept: NDJSON })
    await showProgress(invocation, [answer], GOES_ON)
    if (!json) terminal.stdout.write(`image: ${image} push completed\n`)
  },
}
