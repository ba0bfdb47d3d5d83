/**
 * Text for iptables-restore and ip6tables-restore, made of chains and of what iptables-save has printed; nothing here
 * touches the system.
 *
 * Rules are spelled as iptables-save prints them, so that text can be compared.
 */
import type { Family } from '../lib/ip-address.ts'

const TABLES = ['raw', 'mangle', 'filter', 'nat'] as const
type Table = (typeof TABLES)[number]

/**
 * iptables-nft looks for the chain of each line, and for the one it jumps to, in a sorted list of all that the commit
 * names: 11,000 chains in one commit take it 9 s, in commits of 500 less than 1 s.
 */
const CHAINS_PER_COMMIT = 500

export interface Chain {
  readonly family: Family
  readonly table: Table
  readonly name: string
  /** Rules of built-in chains that lead here; without `-j`. */
  readonly jumps: readonly { readonly from: string; readonly match: string }[]
  readonly rules: readonly string[]
}

/** What is to be done to one table. */
interface Change {
  /** Chains to be made and filled anew: what a rule jumps to comes before it. */
  readonly filled: readonly Chain[]
  /** Rules of other chains, without the leading `-A `. */
  readonly deleted: readonly string[]
  /** The same; they go to the heads of their chains. */
  readonly inserted: readonly string[]
  /** Names of chains: what jumps to a chain comes before it. */
  readonly removed: readonly string[]
}

/**
 * Makes the chains of one family and their jumps from whatever is there, of which `saved` is iptables-save's text: chains
 * that differ are filled anew, missing jumps go to the heads of the built-in chains, other jumps to our chains go away.
 * The `retired` chains go altogether. Empty if all is as it should be.
 *
 * `wanted` names a chain before those that jump to it, `retired` after them. One commit a table, or several if that is
 * much: each leaves rules that work, since chains come before they are used and go after that.
 */
export function renderRebuild(wanted: readonly Chain[], retired: readonly Chain[], saved: string): string {
  const present = parseSaved(saved)
  return renderTables((table) => {
    const there: SavedTable = present.get(table) ?? new Map()
    const ours = wanted.filter((chain) => chain.table === table)
    const old = retired.filter((chain) => chain.table === table && there.has(chain.name))
    const names = new Set([...ours, ...old].map(({ name }) => name))
    const leadHere = [...there].flatMap(([from, rules]) =>
      names.has(from)
        ? []
        : rules.filter((rule) => names.has(jumpTarget(rule))).map((rule) => [from, rule].join(' ').trimEnd()),
    )
    const jumps = ours.flatMap(jumpLines)
    return {
      filled: ours.filter(({ name, rules }) => !isSame(there.get(name), rules)),
      deleted: without(leadHere, jumps),
      inserted: without(jumps, leadHere),
      removed: old.map(({ name }) => name),
    }
  })
}

/** The same, where what is there is known to be `before`; both name a chain before those that jump to it. */
export function renderChange(before: readonly Chain[], after: readonly Chain[]): string {
  const [old, wanted] = [before, after].map((chains) => Map.groupBy(chains, ({ table }) => table))
  return renderTables((table) => {
    const [oldChains, chains] = [old!.get(table) ?? [], wanted!.get(table) ?? []]
    const known = new Map(oldChains.map((chain) => [chain.name, chain]))
    const names = new Set(chains.map(({ name }) => name))
    const [oldJumps, jumps] = [oldChains.flatMap(jumpLines), chains.flatMap(jumpLines)]
    return {
      filled: chains.filter((chain) => {
        const present = known.get(chain.name)
        return present !== chain && !isSame(present?.rules, chain.rules)
      }),
      deleted: without(oldJumps, jumps),
      inserted: without(jumps, oldJumps),
      removed: oldChains
        .map(({ name }) => name)
        .filter((name) => !names.has(name))
        .reverse(),
    }
  })
}

/** What tells a chain from all others of its family. */
export function chainKey({ table, name }: Pick<Chain, 'table' | 'name'>): string {
  return `${table} ${name}`
}

/** By key: how many rules each of these chains has, and how many lead to it. */
export function countUses(chains: readonly Chain[]): Map<string, number> {
  const uses = new Map(chains.map((chain) => [chainKey(chain), chain.rules.length + chain.jumps.length]))
  for (const { table, rules } of chains) {
    for (const key of rules.map((rule) => chainKey({ table, name: jumpTarget(rule) }))) {
      const use = uses.get(key)
      if (use !== undefined) uses.set(key, use + 1)
    }
  }
  return uses
}

/** How many changes of the rules iptables-restore will make of this text. */
export function countCommits(text: string): number {
  return text.match(/^COMMIT$/gm)?.length ?? 0
}

/** What `-m statistic` makes of a share and iptables-save prints: a whole number of 1/2^31. */
export function probabilityText(share: number): string {
  return (Math.round(share * 2 ** 31) / 2 ** 31).toFixed(11)
}

/** By chain: its rules, without the leading `-A ` and its name. */
export type SavedTable = ReadonlyMap<string, readonly string[]>

export function parseSaved(saved: string): ReadonlyMap<string, SavedTable> {
  const tables = new Map<string, SavedTable>()
  let table = new Map<string, string[]>()
  for (const text of saved.split('\n')) {
    if (text.startsWith('*')) {
      table = new Map()
      tables.set(text.slice(1), table)
    } else if (text.startsWith(':')) {
      table.set(text.slice(1).split(' ', 1)[0]!, [])
    } else if (text.startsWith('-A ')) {
      const [, name = '', rule = ''] = /^-A (\S+) ?(.*?) *$/.exec(text) ?? []
      const rules = table.get(name)
      if (rules === undefined) table.set(name, [asPrinted(rule)])
      else rules.push(asPrinted(rule))
    }
  }
  return tables
}

/** The chain that a rule leads to, if it leads to one. */
export function jumpTarget(rule: string): string {
  return / -[jg] (\S+)/.exec(` ${rule}`)?.[1] ?? ''
}

/** Whatever number of digits this version of iptables prints. */
function asPrinted(rule: string): string {
  if (!rule.includes('--probability ')) return rule
  return rule.replace(/(?<=--probability )\S+/, (share) => probabilityText(Number(share)))
}

function renderTables(changeOf: (table: Table) => Change): string {
  return TABLES.flatMap((table) =>
    commitsOf(changeOf(table))
      .map(linesOf)
      .filter((lines) => lines.length > 0)
      .map((lines) => `*${table}\n${lines.join('\n')}\nCOMMIT\n`),
  ).join('')
}

function commitsOf(change: Change): Change[] {
  const { filled, removed, ...jumps } = change
  if (filled.length + removed.length <= CHAINS_PER_COMMIT) return [change]
  const nothing: Change = { filled: [], deleted: [], inserted: [], removed: [] }
  return [
    ...slices(filled).map((filled) => ({ ...nothing, filled })),
    { ...nothing, ...jumps },
    ...slices(removed).map((removed) => ({ ...nothing, removed })),
  ]
}

function linesOf({ filled, deleted, inserted, removed }: Change): string[] {
  return [
    ...[...filled.map(({ name }) => name), ...removed].map((name) => `:${name} - [0:0]`),
    ...filled.flatMap(({ name, rules }) => rules.map((rule) => `-A ${name} ${rule}`)),
    ...deleted.map((rule) => `-D ${rule}`),
    ...inserted.map((rule) => `-I ${rule.replace(' ', ' 1 ')}`),
    ...removed.map((name) => `-X ${name}`),
  ]
}

/** As iptables-save prints them, after `-A `. */
function jumpLines({ name, jumps }: Chain): string[] {
  return jumps.map(({ from, match }) => [from, match, `-j ${name}`].filter((part) => part !== '').join(' '))
}

function isSame(rules: readonly string[] | undefined, others: readonly string[]): boolean {
  return rules !== undefined && rules.length === others.length && rules.every((rule, index) => rule === others[index])
}

function without(rules: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others)
  return rules.filter((rule) => !known.has(rule))
}

function slices<T>(list: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(list.length / CHAINS_PER_COMMIT) }, (_, index) =>
    list.slice(index * CHAINS_PER_COMMIT, (index + 1) * CHAINS_PER_COMMIT),
  )
}
