/** The Worker of manifest-reader.ts: answers in parts of some objects each. */
import { parentPort } from 'node:worker_threads'
import { answerQuestions } from '../lib/bounded-worker.ts'
import { StatusError } from '../lib/errors.ts'
import type { ManifestQuestion } from './manifest-reader.ts'
import { readManifests } from './read-manifests.ts'

/** The main thread takes a few ms for so many. */
const OBJECTS_A_PART = 50
/** Of all together: merges and aliases make much of little. */
const MAX_CHARACTERS = 32 * 1024 * 1024

answerQuestions<ManifestQuestion>(parentPort!, async ({ text, reading }, send) => {
  const outcomes = await readManifests(text, reading)
  let left = MAX_CHARACTERS
  for (let index = 0; index < outcomes.length; index += OBJECTS_A_PART) {
    const part = JSON.stringify(outcomes.slice(index, index + OBJECTS_A_PART))
    left -= part.length
    if (left < 0)
      throw new StatusError('invalid_argument', 'The manifest is too large when its aliases are followed: split it')
    send(part)
  }
})
