import type { Changing } from './canonical.ts'
import { quoted } from './faults.ts'
import { isMap, type Tree, textOf, treeOf, valued, withEntries } from './tree.ts'

const MAX_RANGE = 1024

/**
 * `[[ip:]host:]container[/protocol]` as objects, one for each port of a range: the short syntax of `ports`. Of an object
 * the numbers are as the short syntax has them. An IPv6 address may be in brackets.
 */
export function shortPorts(item: Tree, { path, faults, ports: budget }: Changing): readonly Tree[] {
  if (isMap(item)) return [longPort(item)]
  const text = textOf(item) ?? ''
  const fail = (problem: string) => {
    faults.push({ path, place: item.place, problem: `is no port: ${problem}` })
    return []
  }
  const [ports = '', protocol = 'tcp', ...rest] = text.split('/')
  const parts = ports.split(':')
  const container = parts.pop()!
  const host = parts.pop()
  const ip = parts.join(':').replace(/^\[(.*)\]$/, '$1')
  if (rest.length > 0 || container === '') return fail(`want [[ip:]host:]container[/protocol], not ${quoted(text)}`)
  const inside = rangeOf(container)
  const outside = host === undefined || host === '' ? undefined : rangeOf(host)
  if (typeof inside === 'string' || typeof outside === 'string') return fail([inside, outside].find(isText)!)
  const isOneOf = outside !== undefined && inside.length === 1 && outside.length > 1
  if (outside !== undefined && !isOneOf && inside.length !== outside.length) {
    return fail(`${outside.length} ports of the host do not match ${inside.length} of the container`)
  }
  if (budget.left < 0) return []
  budget.left -= inside.length
  if (budget.left < 0) return fail('all ranges together have too many ports')
  const common = { protocol: protocol.toLowerCase(), ...(ip !== '' && { host_ip: ip }) }
  return inside.map((target, index) => {
    const published = isOneOf ? host : outside?.[index]
    return treeOf({ target, ...(published !== undefined && { published: String(published) }), ...common }, item.place)
  })
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function longPort(item: Tree & { readonly value: ReadonlyMap<string, Tree> }): Tree {
  const [target, published] = ['target', 'published'].map((key) => item.value.get(key))
  return withEntries(item, {
    ...(target !== undefined &&
      /^\d{1,5}$/.test(textOf(target)!) && { target: valued(target, Number(textOf(target))) }),
    ...(published !== undefined && {
      published: textOf(published) === '' ? undefined : valued(published, textOf(published)!),
    }),
    protocol: item.value.get('protocol') ?? treeOf('tcp', item.place),
  })
}

/** Of `8000` or `8000-8010`; a text is what is wrong. */
function rangeOf(text: string): readonly number[] | string {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
  const [from, to] = [Number(first), Number(last)]
  if (first === undefined || to > 65_535 || to < from) return `${quoted(text)} is neither a port nor a range of ports`
  if (to - from >= MAX_RANGE) return `a range may have ${MAX_RANGE} ports at most`
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}
