/** The Worker of bottle-reader.ts. */
import { parentPort } from 'node:worker_threads'
import { readBottleText } from '../compose/index.ts'
import { answerQuestions } from '../lib/bounded-worker.ts'

answerQuestions<string>(parentPort!, (text, send) => send(JSON.stringify(readBottleText(text))))
