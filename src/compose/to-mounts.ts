import { StatusError } from '../lib/errors.ts'
import { withoutUndefined } from '../lib/without-undefined.ts'
import type { BottleFile, BottleMount } from '../model/bottle.ts'
import type { Tmpfs } from '../model/container.ts'
import { absolutePath, isPropagation, mountPoint, PROPAGATIONS } from '../model/mount.ts'
import { parseTmpfs } from '../model/tmpfs.ts'
import { quoted } from './faults.ts'
import type { ComposeFileMount, ComposeMount, ComposeProject, ComposeService, ComposeSource, Count } from './project.ts'
import { pathText } from './tree.ts'
import { type At, attempt, below, bytes, fault, integer, truth, warn } from './values.ts'

export interface Mounts {
  readonly mounts: readonly BottleMount[]
  readonly tmpfs: readonly Tmpfs[]
  readonly files: readonly BottleFile[]
}

/** All that is mounted into a service's containers, each on a place of its own. */
export function toMounts(service: ComposeService, project: ComposeProject, at: At): Mounts {
  const taken = new Map<string, string>()
  const own = <T extends { readonly destination: string }>(place: At, mounted: T | undefined): readonly T[] => {
    if (mounted === undefined) return []
    const other = taken.get(mounted.destination)
    const what = pathText(place.path.slice(2))
    if (other !== undefined) fault(place, `is mounted on ${mounted.destination}, as is ${other}`)
    taken.set(mounted.destination, what)
    return [mounted]
  }
  const each = <T, M extends { readonly destination: string }>(
    key: 'volumes' | 'tmpfs' | 'secrets' | 'configs',
    items: readonly T[] | undefined,
    make: (item: T, place: At) => M | undefined,
  ) => (items ?? []).flatMap((item, index) => own(below(at, key, index), make(item, below(at, key, index))))
  const volumes = each('volumes', service.volumes, (volume, place) => toVolume(volume, project, place))
  const tmpfs = each('tmpfs', service.tmpfs, (text, place) => attempt(place, () => parseTmpfs(text)))
  const secrets = each('secrets', service.secrets, (mount, place) => toFile('secret', mount, project.secrets, place))
  const configs = each('configs', service.configs, (mount, place) => toFile('config', mount, project.configs, place))
  return {
    mounts: volumes.filter((mount) => 'type' in mount),
    tmpfs: [...tmpfs, ...volumes.filter((mount) => 'options' in mount)],
    files: [...secrets, ...configs],
  }
}

function toVolume(volume: ComposeMount, project: ComposeProject, at: At): BottleMount | Tmpfs | undefined {
  const destination = destinationOf(volume.target, at)
  const readOnly = truth(below(at, 'read_only'), volume.read_only) ?? false
  if (destination === undefined) return undefined
  if (volume.type === 'bind') return toBind(volume, { destination, readOnly }, at)
  if (volume.type === 'tmpfs') return { destination, options: tmpfsOptions(volume, readOnly, at) }
  if (volume.type !== 'volume') return undefined
  const { source } = volume
  if (source !== undefined && !Object.hasOwn(project.volumes ?? {}, source)) {
    fault(below(at, 'source'), `is ${quoted(source)}, which is not under volumes`)
  }
  const noCopy = truth(below(at, 'volume', 'nocopy'), volume.volume?.nocopy) ?? false
  return { type: 'volume', ...(source !== undefined && { volume: source }), destination, readOnly, noCopy }
}

function destinationOf(target: string | undefined, at: At): string | undefined {
  return target === undefined
    ? fault(at, 'needs "target"')
    : attempt(below(at, 'target'), () => mountPoint(target, target))
}

function toBind(
  { source, bind = {} }: ComposeMount,
  where: { readonly destination: string; readonly readOnly: boolean },
  at: At,
): BottleMount | undefined {
  if (source === undefined) return fault(at, 'needs "source"')
  const invalid = (problem: string) => new StatusError('invalid_argument', problem)
  const path = attempt(below(at, 'source'), () => absolutePath(invalid, 'source', source))
  const { propagation } = bind
  if (propagation !== undefined && !isPropagation(propagation)) {
    return fault(
      below(at, 'bind', 'propagation'),
      `must be one of ${PROPAGATIONS.join(', ')}, not ${quoted(propagation)}`,
    )
  }
  const createSource = truth(below(at, 'bind', 'create_host_path'), bind.create_host_path) ?? true
  if (path === undefined) return undefined
  return withoutUndefined({ type: 'bind' as const, source: path, ...where, createSource, propagation })
}

function tmpfsOptions({ tmpfs: { size, mode } = {} }: ComposeMount, readOnly: boolean, at: At): readonly string[] {
  const sizeBytes = bytes(below(at, 'tmpfs', 'size'), size)
  const permissions = toMode(mode, below(at, 'tmpfs', 'mode'))
  return [
    ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`]),
    ...(permissions === undefined ? [] : [`mode=${permissions.toString(8)}`]),
    ...(readOnly ? ['ro'] : []),
  ]
}

/** A text is octal; a number is one, as YAML reads 0440. */
function toMode(mode: Count | undefined, at: At): number | undefined {
  if (mode === undefined) return undefined
  const number =
    typeof mode === 'number' ? mode : /^(?:0o)?[0-7]{1,5}$/.test(mode) ? Number.parseInt(mode.replace('0o', ''), 8) : -1
  if (Number.isInteger(number) && number >= 0 && number <= 0o7777) return number
  return fault(at, `must be octal permissions such as 0440, not ${quoted(String(mode))}`)
}

const DIRECTORIES = { secret: '/run/secrets/', config: '/' }

function toFile(
  kind: BottleFile['kind'],
  mount: ComposeFileMount,
  sources: Readonly<Record<string, ComposeSource>> | undefined,
  at: At,
): BottleFile | undefined {
  const { source: name, target = name } = mount
  if (name === undefined || target === undefined) return fault(at, 'needs "source"')
  if (!Object.hasOwn(sources ?? {}, name)) return fault(at, `is ${quoted(name)}, which is not under ${kind}s`)
  const destination = destinationOf(target.startsWith('/') ? target : DIRECTORIES[kind] + target, at)
  const from = contentOf(kind, sources![name]!, at)
  const [uid = 0, gid = 0] = (['uid', 'gid'] as const).map((key) => integer(below(at, key), mount[key], 0, 2 ** 32 - 2))
  const mode = toMode(mount.mode, below(at, 'mode')) ?? 0o444
  if (destination === undefined || from === undefined) return undefined
  if ('source' in from) {
    for (const key of ['uid', 'gid', 'mode'] as const) {
      if (mount[key] !== undefined) warn(below(at, key), 'is not honoured: the file is mounted as it is')
    }
  }
  return { kind, name, destination, from, mode, uid, gid }
}

function contentOf(kind: BottleFile['kind'], source: ComposeSource, at: At): BottleFile['from'] | undefined {
  const content = kind === 'secret' ? source['x-content'] : source.content
  const given = [source.file, content, source.environment].filter((value) => value !== undefined)
  if (given.length > 1) return fault(at, 'is of more than one of file, environment and content')
  if (source.file !== undefined) return { source: source.file }
  if (content !== undefined) return { data: Buffer.from(content).toString('base64') }
  if (source.environment === undefined) return fault(at, 'is of neither a file nor a variable')
  return fault(at, `is of the variable ${source.environment}, which is not set: only the client knows it`)
}
