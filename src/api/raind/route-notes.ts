import type { RouteNotes } from '../http/openapi.ts'
import { FRAME_STREAM, NDJSON } from './types.ts'

const JSON_TYPE = 'application/json'
const TAR = 'application/x-tar'
const TEXT = 'text/plain'

/** What the documentation says of each route besides its schemas. */
export const notes: Readonly<Record<string, RouteNotes>> = {
  'GET /v1/containers': { summary: 'List containers, all of them unless the query says which' },
  'POST /v1/containers': { summary: 'Create a container; pulls its image if that is not there' },
  'POST /v1/containers/prune': { summary: 'Remove containers that do not run' },
  'GET /v1/containers/:containerId': { summary: 'A container, by id, prefix of its id, or name' },
  'GET /v1/containers/:containerId/inspect': { summary: 'Everything about a container, in the words of the model' },
  'POST /v1/containers/:containerId/actions/start': { summary: 'Start a container' },
  'POST /v1/containers/:containerId/actions/stop': { summary: 'Ask a container to end; kill it when the time is out' },
  'POST /v1/containers/:containerId/actions/restart': { summary: 'Stop a container if it runs, and start it' },
  'POST /v1/containers/:containerId/actions/pause': { summary: 'Freeze all processes of a container' },
  'POST /v1/containers/:containerId/actions/unpause': { summary: 'Let the processes of a frozen container go on' },
  'POST /v1/containers/:containerId/actions/rename': { summary: 'Give a container another name' },
  'POST /v1/containers/:containerId/actions/update': {
    summary: 'Change the limits of a container, also while it runs',
  },
  'POST /v1/containers/:containerId/actions/kill': { summary: 'Send a signal to the first process of a container' },
  'POST /v1/containers/:containerId/actions/wait': { summary: 'Answers when a container has ended' },
  'DELETE /v1/containers/:containerId/actions/delete': { summary: 'Remove a container' },
  'GET /v1/containers/:containerId/log': {
    summary: 'What a container has written, and goes on to write',
    gives: [TEXT, FRAME_STREAM],
  },
  'POST /v1/containers/:containerId/actions/resize': { summary: 'Tell a container the size of its terminal' },
  'GET /v1/containers/:containerId/attach': {
    summary: "A container's terminal, as a WebSocket: its output as it is; input (0) and sizes (1) in frames",
  },
  'GET /v1/containers/:containerId/exec/attach': {
    summary: 'The terminal of the newest exec that nobody has attached to, as a WebSocket',
    tag: 'execs',
  },
  'GET /v1/containers/:containerId/streams': {
    summary:
      'The streams of a container as a WebSocket, in frames: from it 1 stdout, 2 stderr, 3 exit; to it 0 input, 1 size, 2 end',
  },
  'GET /v1/execs/:execId/streams': { summary: 'Run a prepared command; its streams as a WebSocket, in frames' },
  'POST /v1/execs/:execId/resize': { summary: 'Tell a running command the size of its terminal' },
  'POST /v1/execs/:execId/kill': { summary: 'Send a signal to a running command' },
  'GET /v1/containers/:containerId/logpath': { summary: 'The file that the log of a container is in' },
  'GET /v1/containers/stats': {
    summary: 'What containers use, all that run unless the query names some; as a stream a list a second',
    gives: [JSON_TYPE, NDJSON],
  },
  'GET /v1/containers/:containerId/stats': {
    summary: 'What a container uses; as a stream a line a second',
    gives: [JSON_TYPE, NDJSON],
  },
  'POST /v1/containers/:containerId/exec': { summary: 'Prepare a command in a container', tag: 'execs' },
  'POST /v1/execs/:execId/start': {
    summary: 'Run a prepared command; its output in frames: type (1 stdout, 2 stderr, 3 exit), length (u32 BE), bytes',
    gives: [FRAME_STREAM],
  },
  'GET /v1/execs/:execId': { summary: 'A prepared command and how it ended' },
  'POST /v1/containers/:containerId/actions/exec': {
    summary: 'Run a command in a container; with "wait" the answer has its output and exit code',
    tag: 'execs',
  },
  'GET /v1/images': { summary: 'List images' },
  'POST /v1/images': { summary: 'Pull an image; asked for NDJSON, it tells its progress', gives: [JSON_TYPE, NDJSON] },
  'POST /v1/images/load': { summary: 'Load images from an archive', takes: TAR, gives: [JSON_TYPE, NDJSON] },
  'GET /v1/images/save': { summary: 'Images as an archive', gives: [TAR] },
  'POST /v1/images/tag': { summary: 'Give an image another name' },
  'POST /v1/images/push': { summary: 'Push an image; as NDJSON with its progress', gives: [JSON_TYPE, NDJSON] },
  'POST /v1/registries/login': { summary: 'Whether a registry takes these credentials; they are not kept' },
  'POST /v1/images/prune': { summary: 'Remove images that have no tag, or all, that no container uses' },
  'DELETE /v1/images': { summary: 'Remove an image' },
  'GET /v1/images/status': { summary: 'An image, with its digests and size' },
  'GET /v1/images/inspect': { summary: 'Everything about an image' },
  'GET /v1/images/history': { summary: 'The steps that an image was made by' },
  'GET /v1/images/fs': { summary: 'What the layers of an image take on disk' },
  'GET /v1/networks': { summary: 'List networks' },
  'POST /v1/networks': { summary: 'Create a network' },
  'POST /v1/networks/prune': { summary: 'Remove networks that no container is attached to' },
  'GET /v1/networks/:network/inspect': { summary: 'Everything about a network' },
  'DELETE /v1/networks/:network/actions/delete': { summary: 'Remove a network that no container uses' },
  'POST /v1/networks/:network/actions/connect': { summary: 'Connect a container to a network, also while it runs' },
  'POST /v1/networks/:network/actions/disconnect': { summary: 'Take a container off a network, also while it runs' },
  'GET /v1/containers/:containerId/stat': { summary: 'What is at a path of a container' },
  'HEAD /v1/containers/:containerId/archive': { summary: 'What is at a path of a container, in X-Raind-Path-Stat' },
  'GET /v1/containers/:containerId/archive': { summary: 'What is at a path of a container, as a tar', gives: [TAR] },
  'PUT /v1/containers/:containerId/archive': {
    summary: 'Extract a tar into a directory of a container; it may be compressed with gzip or zstd',
    takes: TAR,
  },
  'GET /v1/containers/:containerId/export': { summary: 'The root filesystem of a container, as a tar', gives: [TAR] },
  'GET /v1/containers/:containerId/top': { summary: 'The processes of a container, as the host sees them' },
  'GET /v1/volumes': { summary: 'List volumes' },
  'POST /v1/volumes': { summary: 'Create a volume, unless there is one of that name' },
  'POST /v1/volumes/prune': { summary: 'Remove volumes that no container uses: those without a name, or all' },
  'GET /v1/volumes/:name': { summary: 'A volume, and who uses it' },
  'DELETE /v1/volumes/:name': { summary: 'Remove a volume that no container uses, with all that is in it' },
  'GET /v1/policies/:policy': { summary: 'Not there yet: answers 501' },
  'POST /v1/policies': { summary: 'Not there yet: answers 501' },
  'DELETE /v1/policies/:policy': { summary: 'Not there yet: answers 501' },
  'POST /v1/policies/commit': { summary: 'Not there yet: answers 501' },
  'POST /v1/policies/revert': { summary: 'Not there yet: answers 501' },
  'POST /v1/policies/ns/mode': { summary: 'Not there yet: answers 501' },
  'GET /v1/logs/netflow': { summary: 'Not there yet: answers 501' },
  'GET /v1/events': {
    summary: 'What has happened, and what happens, as it does; a JSON line each',
    tag: 'system',
    gives: [NDJSON],
  },
  'GET /metrics': {
    summary: 'What Prometheus scrapes: the daemon, its containers and images, its answers',
    tag: 'system',
    gives: ['text/plain; version=0.0.4; charset=utf-8'],
  },
  'GET /v1/version': { summary: 'Versions of the daemon and of what it runs on', tag: 'system' },
  'GET /v1/health': { summary: 'Answers when the daemon can', tag: 'system' },
  'GET /v1/system/info': { summary: 'The daemon, its host and its store, and what of the host containers do without' },
  'GET /v1/system/df': {
    summary: 'What images, containers, volumes and logs take on disk, and what of it could be given back',
  },
  'POST /v1/system/check': {
    summary: 'Compare the records with the kernel and the disk, and mend what can be mended if that is asked for',
  },
  'POST /v1/system/prune': {
    summary: 'Remove containers, networks, images and, if asked to, volumes that nothing uses',
  },
  'GET /v1/openapi.json': { summary: 'This API as an OpenAPI 3.1 document', tag: 'system' },
  'GET /v1/docs': { summary: 'This API as a page to read', tag: 'system', gives: ['text/html; charset=utf-8'] },
}
