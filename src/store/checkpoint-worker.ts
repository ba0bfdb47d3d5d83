/**
 * The Worker of checkpoint.ts: syncs, copies and syncs again at each message, on its own connection. An empty
 * message ends it.
 */
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { CheckpointPass, CheckpointRequest } from './checkpoint.ts'

const connection = new DatabaseSync((workerData as { file: string }).file)
connection.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL')
const passive = connection.prepare('PRAGMA wal_checkpoint(PASSIVE)')

parentPort!.on('message', (request: CheckpointRequest) => {
  if (request === 'end') {
    connection.close()
    parentPort!.close()
    return
  }
  const { log, checkpointed } = passive.get() as { log: number; checkpointed: number }
  parentPort!.postMessage({ complete: log === checkpointed } satisfies CheckpointPass)
})
