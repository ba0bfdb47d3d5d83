const BUILT_IN: Readonly<Record<string, readonly string[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
}

type Rules = Map<string, string[]>

/** What `iptables-restore --noflush` makes of text, as strictly as the kernel: a commit happens as a whole or not at all. */
export class IptablesModel {
  readonly #tables = new Map<string, Rules>()

  /** @throws at the first commit that iptables would refuse; those before it have happened */
  restore(text: string): void {
    for (const commit of text.split(/^COMMIT\n/m).filter((part) => part !== '')) {
      const [name = '', ...lines] = commit.trimEnd().split('\n')
      const rules = copy(this.#tables.get(name.slice(1)) ?? emptyTable(name.slice(1)))
      for (const line of lines) apply(rules, line)
      this.#tables.set(name.slice(1), rules)
    }
  }

  /** As iptables-save prints it. */
  save(): string {
    return [...this.#tables]
      .map(([table, rules]) => {
        const chains = [...rules.keys()].map((name) => `:${name} ${name in policyOf(table) ? 'ACCEPT' : '-'} [0:0]`)
        const lines = [...rules].flatMap(([name, list]) => list.map((rule) => `-A ${name} ${rule}`))
        return `*${table}\n${[...chains, ...lines].join('\n')}\nCOMMIT\n`
      })
      .join('')
  }
}

function apply(rules: Rules, line: string): void {
  const [, command = '', name = '', rest = ''] = /^(:|-[ADIX] )(\S+) ?(.*)$/.exec(line) ?? fail(line, 'unknown')
  const chain = rules.get(name)
  if (command === ':') {
    rules.set(name, [])
    return
  }
  if (chain === undefined) fail(line, 'no such chain')
  const target = / -[jg] (\S+)/.exec(` ${rest}`)?.[1] ?? ''
  if (target.startsWith('RAIND-') && !rules.has(target)) fail(line, 'no such target')
  if (command === '-A ') chain.push(rest)
  if (command === '-I ') chain.unshift(rest.replace(/^1 /, ''))
  if (command === '-D ') chain.splice(chain.includes(rest) ? chain.indexOf(rest) : fail(line, 'no such rule'), 1)
  if (command === '-X ') {
    if (chain.length > 0) fail(line, 'not empty')
    if ([...rules.values()].flat().some((rule) => ` ${rule} `.includes(` -j ${name} `))) fail(line, 'in use')
    rules.delete(name)
  }
}

function fail(line: string, problem: string): never {
  throw new Error(`iptables-restore: "${line}": ${problem}`)
}

function emptyTable(name: string): Rules {
  return new Map((BUILT_IN[name] ?? []).map((chain) => [chain, []]))
}

function policyOf(table: string): object {
  return Object.fromEntries((BUILT_IN[table] ?? []).map((chain) => [chain, true]))
}

function copy(rules: Rules): Rules {
  return new Map([...rules].map(([name, list]) => [name, [...list]]))
}
