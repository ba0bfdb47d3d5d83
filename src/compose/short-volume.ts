import type { Changing } from './canonical.ts'
import { quoted } from './faults.ts'
import { isMap, type Json, type Tree, textOf, treeOf } from './tree.ts'

const PROPAGATIONS = ['rprivate', 'private', 'rslave', 'slave', 'rshared', 'shared']

/** `[source:]target[:option,...]` as an object: the short syntax of `volumes`. */
export function shortVolume(item: Tree, { path, faults }: Changing): Tree {
  if (isMap(item)) return item
  const text = textOf(item) ?? ''
  const fail = (problem: string) => {
    faults.push({ path, place: item.place, problem: `is no volume: ${problem}` })
    return item
  }
  const parts = text.split(':')
  if (parts.includes('') || parts.length > 3) return fail(`want [source:]target[:options], not ${quoted(text)}`)
  const [source, target = '', options = 'rw'] = parts.length === 1 ? [undefined, ...parts] : parts
  const isBind = source !== undefined && /^[./~]/.test(source)
  const volume: Record<string, Json> = {
    type: isBind ? 'bind' : 'volume',
    ...(source !== undefined && { source }),
    target,
  }
  const bind: Record<string, Json> = isBind ? { create_host_path: true } : {}
  for (const option of options.split(',')) {
    if (option === 'ro') volume['read_only'] = true
    else if (option === 'nocopy' && !isBind) volume['volume'] = { nocopy: true }
    else if (PROPAGATIONS.includes(option) && isBind) bind['propagation'] = option
    else if (option === 'z' || option === 'Z') bind['selinux'] = option
    else if (option === 'cached' || option === 'delegated' || option === 'consistent') volume['consistency'] = option
    else if (option !== 'rw') return fail(`the option ${quoted(option)} is unknown`)
  }
  return treeOf({ ...volume, ...(Object.keys(bind).length > 0 && { bind }) }, item.place)
}
