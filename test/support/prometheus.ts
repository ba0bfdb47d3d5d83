/**
 * A strict parser of Prometheus's text format 0.0.4, with promtool's rules on top: each metric has HELP and TYPE first and
 * stands in one piece, no series is there twice, counters end in `_total`, histograms add up.
 */
export interface ParsedMetric {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly samples: readonly Sample[]
}

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/
const VALUE = /^(?:NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]\d+)?)$/

/** By name. @throws {Error} with the line that is wrong */
export function parseMetrics(text: string): ReadonlyMap<string, ParsedMetric> {
  if (!text.endsWith('\n')) throw new Error('the text does not end with a line feed')
  const metrics = new Map<string, ParsedMetric & { samples: Sample[] }>()
  let help: { name: string; text: string } | undefined
  let current: { name: string; metric: ParsedMetric & { samples: Sample[] } } | undefined
  for (const line of text.slice(0, -1).split('\n')) {
    const wrong = (why: string) => new Error(`${why}: ${line}`)
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line)
    if (comment !== null) {
      const [, kind, name = '', rest = ''] = comment
      if (!NAME.test(name)) throw wrong('no name')
      if (metrics.has(name)) throw wrong('a metric is there twice')
      if (kind === 'HELP') {
        if (rest === '' || help !== undefined) throw wrong('no text, or no TYPE before it')
        help = { name, text: rest }
      } else {
        if (help?.name !== name) throw wrong('no HELP before it')
        if (rest !== 'counter' && rest !== 'gauge' && rest !== 'histogram') throw wrong('no type')
        if ((rest === 'counter') !== name.endsWith('_total')) throw wrong('counters, and only they, end in _total')
        current = { name, metric: { type: rest, help: help.text, samples: [] } }
        metrics.set(name, current.metric)
        help = undefined
      }
      continue
    }
    const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? []
    if (current === undefined || help !== undefined || name === '') throw wrong('no sample of a metric')
    const suffix = name.slice(current.name.length)
    const suffixes = current.metric.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
    if (!name.startsWith(current.name) || !suffixes.includes(suffix)) throw wrong('a sample of another metric')
    if (!VALUE.test(value)) throw wrong('no number')
    current.metric.samples.push({
      name,
      labels: parseLabels(labels, wrong),
      value: Number(value.replace('Inf', 'Infinity')),
    })
  }
  for (const [name, metric] of metrics) check(name, metric)
  return metrics
}

function parseLabels(text: string, wrong: (why: string) => Error): Record<string, string> {
  const labels: Record<string, string> = {}
  for (let rest = text; rest !== ''; ) {
    const match = LABEL.exec(rest)
    if (match === null) throw wrong('no label')
    const [whole, name = '', value = ''] = match
    if (name in labels || name.startsWith('__')) throw wrong('a label twice, or a reserved one')
    labels[name] = value.replace(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : character))
    rest = rest.slice(whole.length)
    if (rest === '' && whole.endsWith(',')) throw wrong('a comma at the end')
  }
  return labels
}

function check(name: string, { type, samples }: ParsedMetric): void {
  if (samples.length === 0) throw new Error(`${name} has no samples`)
  const keys = samples.map((sample) => JSON.stringify([sample.name, Object.entries(sample.labels).sort()]))
  if (new Set(keys).size !== keys.length) throw new Error(`${name} has a series twice`)
  if (type === 'counter' && samples.some(({ value }) => !(value >= 0))) throw new Error(`${name} is below 0`)
  if (type === 'histogram') checkHistogram(name, samples)
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const series = Map.groupBy(samples, ({ labels: { le: _, ...labels } }) =>
    JSON.stringify(Object.entries(labels).sort()),
  )
  for (const [labels, own] of series) {
    const buckets = own.filter((sample) => sample.name === `${name}_bucket`)
    const bounds = buckets.map((bucket) => Number(bucket.labels['le']!.replace('Inf', 'Infinity')))
    const counts = buckets.map(({ value }) => value)
    const rises = (list: readonly number[]) => list.every((value, index) => index === 0 || value >= list[index - 1]!)
    const count = own.find((sample) => sample.name === `${name}_count`)?.value
    const whole = own.length === buckets.length + 2 && own.some((sample) => sample.name === `${name}_sum`)
    if (!whole || !rises(bounds) || !rises(counts) || bounds.at(-1) !== Infinity || counts.at(-1) !== count) {
      throw new Error(`${name}${labels} does not add up`)
    }
  }
}
