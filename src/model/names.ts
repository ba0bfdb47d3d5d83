import { randomBytes, randomInt } from 'node:crypto'
import { StatusError } from '../lib/errors.ts'

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/
const LOOKS_LIKE_ID = /^[0-9a-f]{12}$|^[0-9a-f]{64}$/

/** 64 hex digits; the first 12 are unique too, by an index of the store. */
export function newId(): string {
  return randomBytes(32).toString('hex')
}

/** The first 12 digits: what /v1 shows, and the name of the container's directories. */
export function shortId(id: string): string {
  return id.slice(0, 12)
}

/** @throws {StatusError} `invalid_argument`, also for what looks like an id: only those that were generated do */
export function validateName(what: string, name: string): void {
  validateNameOrId(what, name)
  if (LOOKS_LIKE_ID.test(name)) {
    throw new StatusError('invalid_argument', `Invalid ${what} name "${name}": it looks like an id`)
  }
}

/** @throws {StatusError} `invalid_argument` */
export function validateNameOrId(what: string, name: string): void {
  if (!NAME.test(name)) {
    throw new StatusError(
      'invalid_argument',
      `Invalid ${what} name "${name.slice(0, 140)}": use letters, digits, "_", "." and "-", starting with a letter or a digit, at most 128`,
    )
  }
}

const ADJECTIVES =
  'amber agile bold brisk calm clear crisp eager early fair fleet frank fresh glad grand keen kind level light lively lucid mellow merry mild neat noble plain prime proud quick quiet rapid ready sharp sleek smart solid steady still sturdy swift tidy trim true vivid warm wise witty'.split(
    ' ',
  )
const NOUNS =
  'anchor arch atlas badger basin beacon birch brook canyon cedar cliff comet coral crane delta dune ember falcon fern fjord glacier grove harbor heron island juniper lagoon lantern larch maple marten meadow mesa orchid osprey otter pebble pine prairie quartz raven reef ridge river sparrow spruce summit thicket tundra willow'.split(
    ' ',
  )

/** `<adjective>-<noun>-<4 digits>`; the caller tries again if it is taken. */
export function generateName(): string {
  const pick = (words: readonly string[]) => words[randomInt(words.length)]!
  return `${pick(ADJECTIVES)}-${pick(NOUNS)}-${String(randomInt(10_000)).padStart(4, '0')}`
}
