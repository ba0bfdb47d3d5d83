/** The entry of the Workers that unpack, commit, remove and measure layers, fill volumes and copy files: see worker-pool.ts. */
import { parentPort, workerData } from 'node:worker_threads'
import { AT_FDCWD, bytePath, leaveSharedWorkingDirectory } from '../linux/at-calls.ts'
import { endSession, readMore, startRead, startWrite, writeMore } from './archive-sessions.ts'
import { commitLayer } from './commit-layer.ts'
import { openContainerView } from './container-view.ts'
import { statPath } from './find-node.ts'
import { measureTree } from './measure-tree.ts'
import { removeTree } from './remove-tree.ts'
import { seedVolume, settleVolume } from './seed-volume.ts'
import { unpackLayer } from './unpack-layer.ts'
import { type FromWorker, type Job, type ToWorker, toFailure, type WorkerData } from './worker-protocol.ts'

const port = parentPort!
const { layersDir } = workerData as WorkerData
leaveSharedWorkingDirectory(layersDir)

let cancellation = new AbortController()
const send = (message: FromWorker, handedOver: ArrayBuffer[] = []) => port.postMessage(message, handedOver)

/** Between two reports of progress. */
const PROGRESS_BYTES = 1 << 20

port.on('message', (message: ToWorker) => {
  if (message.kind === 'cancel') return cancellation.abort()
  cancellation = new AbortController()
  run(message.job, cancellation.signal).then(
    (result) => send({ kind: 'done', result }, result instanceof Uint8Array ? [result.buffer as ArrayBuffer] : []),
    (error) => send({ kind: 'failed', failure: toFailure(error) }),
  )
})

async function run(job: Job, signal: AbortSignal): Promise<unknown> {
  switch (job.op) {
    case 'unpack': {
      let reported = 0
      return unpackLayer(job.input, signal, (bytes) => {
        if (bytes - reported < PROGRESS_BYTES) return
        reported = bytes
        send({ kind: 'progress', bytes })
      })
    }
    case 'commit':
      return commitLayer(job.unpacked, job.parents)
    case 'remove':
      return removeTree(AT_FDCWD, bytePath(job.path))
    case 'measure':
      return measureTree(AT_FDCWD, bytePath(job.path), signal)
    case 'seed':
      return seedVolume(job.input, signal)
    case 'settle':
      return settleVolume(job.directory)
    case 'view':
      return openContainerView(job.input)
    case 'stat':
      return statPath(job.root, job.path, job.follow)
    case 'start-read':
      return startRead(job.session, job.root, job.request)
    case 'read':
      return readMore(job.session)
    case 'start-write':
      return startWrite(job.session, job.root, job.request)
    case 'write':
      return writeMore(job.session, job.bytes)
    case 'end':
      return endSession(job.session)
  }
}
