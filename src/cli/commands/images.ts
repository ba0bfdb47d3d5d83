import type { WireImage } from '../../api/raind/index.ts'
import type { Command } from '../command.ts'
import { type FilterKeys, filterFlag, LABEL_FILTERS, readFilters } from '../filters.ts'
import { ago, bytes, nameOfImage, shortRepository } from '../format.ts'
import { table } from '../table.ts'
import { inspecting, onEach } from './on-each.ts'

const FILTERS: FilterKeys = { ...LABEL_FILTERS, reference: 'reference', dangling: 'dangling' }

export const ls: Command = {
  names: ['image ls', 'images', 'image list'],
  summary: 'List images',
  usage: '[IMAGE]',
  flags: {
    quiet: { type: 'boolean', short: 'q', help: 'print names only' },
    'no-trunc': { type: 'boolean', help: 'show ids in full' },
    filter: filterFlag(FILTERS, 'f'),
  },
  maxArgs: 1,
  async run({ client, terminal, flags, args, json }) {
    const filters = [...readFilters(flags, FILTERS), ...args.map((name): [string, string] => ['reference', name])]
    const query = new URLSearchParams(filters)
    const images = (await client.call<WireImage[] | null>('GET', `/v1/images?${query}`)) ?? []
    if (json) terminal.stdout.write(`${JSON.stringify(images, undefined, 2)}\n`)
    else if (flags.is('quiet')) terminal.stdout.write(images.map((image) => `${nameOfImage(image)}\n`).join(''))
    else {
      const rows = images.map((image) => [
        shortRepository(image.repository),
        image.dangling ? '<none>' : image.reference,
        flags.is('no-trunc') ? image.id : image.id.slice('sha256:'.length, 'sha256:'.length + 12),
        ago(Date.parse(image.createdAt)),
        image.sizeBytes === undefined ? '' : bytes(image.sizeBytes),
      ])
      terminal.stdout.write(table(['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE'], rows))
    }
  },
}

export const rm = onEach({
  names: ['image rm', 'rmi', 'image remove'],
  summary: 'Remove images',
  kind: 'image',
  done: 'remove completed',
  act: ({ client }, image) => client.call('DELETE', '/v1/images', { image }),
})

export const inspect = inspecting(
  ['image inspect'],
  'image',
  (image) => `/v1/images/inspect?image=${encodeURIComponent(image)}`,
)
