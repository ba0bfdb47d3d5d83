/**
 * The Worker of checkpoint.ts, on its own connection: syncs, copies and syncs again at `pass`, looks at the whole file
 * at `inspect`, ends at `end`.
 */
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { CheckpointPass, CheckpointRequest } from './checkpoint.ts'
import { isDiskFull } from './sqlite-error.ts'

const connection = new DatabaseSync((workerData as { file: string }).file)
connection.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL')
const passive = connection.prepare('PRAGMA wal_checkpoint(PASSIVE)')

parentPort!.on('message', (request: CheckpointRequest) => {
  if (request === 'end') {
    connection.close()
    parentPort!.close()
    return
  }
  if (request === 'inspect') {
    const rows = connection.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[]
    const problems = rows.map(({ integrity_check: problem }) => problem).filter((problem) => problem !== 'ok')
    parentPort!.postMessage(problems)
    return
  }
  parentPort!.postMessage(pass())
})

/** What was not copied for want of room stays in the log, and is copied by a later pass. */
function pass(): CheckpointPass {
  try {
    const { log, checkpointed } = passive.get() as { log: number; checkpointed: number }
    return { complete: log === checkpointed, full: false }
  } catch (error) {
    if (!isDiskFull(error)) throw error
    return { complete: false, full: true }
  }
}
