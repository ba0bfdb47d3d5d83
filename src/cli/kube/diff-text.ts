import type { WireObjectDiff } from '../../api/raind/index.ts'
import { unifiedDiff } from '../../lib/unified-diff.ts'
import { toYaml } from './to-yaml.ts'

type KubeObject = WireObjectDiff['after']
type Data = Readonly<Record<string, string>>

/** Of metadata: what changes by itself, or is the server's to say. */
const NOISE = ['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp']

/** The difference that applying makes to one object, as kubectl shows it; empty if there is none. */
export async function diffText(diff: WireObjectDiff): Promise<string> {
  const { apiVersion, kind } = diff.after
  const file = [...apiVersion.split('/'), kind, diff.namespace, diff.name].filter((part) => part !== '').join('.')
  const [from, to] = [`LIVE/${file}`, `MERGED/${file}`]
  const [before, after] = kind === 'Secret' ? masked(diff) : [diff.before, diff.after]
  const text = async (object: KubeObject | null) => (object === null ? '' : await toYaml(stated(object)))
  const changes = unifiedDiff(await text(before), await text(after), { from, to })
  return changes === '' ? '' : `diff -u -N ${from} ${to}\n${changes}`
}

/** What a manifest could have said. */
function stated({ status: _, ...object }: KubeObject): object {
  const metadata = Object.entries(object.metadata).filter(([field]) => !NOISE.includes(field))
  return { ...object, metadata: Object.fromEntries(metadata) }
}

/** Shows which values of a secret change, and none of them. */
function masked({ before, after }: WireObjectDiff): readonly [KubeObject | null, KubeObject] {
  const [old, now] = [before, after].map((object) => (object?.['data'] ?? {}) as Data) as [Data, Data]
  const mask = (data: Data, other: Data, when: string) =>
    Object.fromEntries(
      Object.entries(data).map(([key, value]) => {
        const isChanged = Object.hasOwn(other, key) && other[key] !== value
        return [key, isChanged ? `*** (${when})` : '***']
      }),
    )
  return [before && { ...before, data: mask(old, now, 'before') }, { ...after, data: mask(now, old, 'after') }]
}
