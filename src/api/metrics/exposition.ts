import type { HistogramData } from '../../lib/histogram.ts'

/** The text format of Prometheus that every scraper takes. */
export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export type LabelSet = Readonly<Record<string, string>>

/** One metric with all its series. Names and units are those of Prometheus: base units, `_total` for what only rises. */
export type Metric =
  | {
      readonly name: string
      readonly help: string
      readonly type: 'counter' | 'gauge'
      readonly series: readonly (readonly [LabelSet, number])[]
    }
  | {
      readonly name: string
      readonly help: string
      readonly type: 'histogram'
      readonly series: readonly (readonly [LabelSet, HistogramData])[]
    }

/** One value without labels. */
export function single(type: 'counter' | 'gauge', name: string, help: string, value: number): Metric {
  return { name, help, type, series: [[{}, value]] }
}

/** The lines of a metric; none for one without series. */
export function exposition(metric: Metric): string {
  if (metric.series.length === 0) return ''
  const { name, help, type } = metric
  const head = `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`
  if (metric.type !== 'histogram') {
    return head + metric.series.map(([labels, value]) => line(name, labels, value)).join('')
  }
  return head + metric.series.map(([labels, data]) => histogramLines(name, labels, data)).join('')
}

function histogramLines(name: string, labels: LabelSet, { buckets, sum, count }: HistogramData): string {
  const lines = buckets.map(({ upTo, count }) => line(`${name}_bucket`, { ...labels, le: number(upTo) }, count))
  return lines.join('') + line(`${name}_sum`, labels, sum) + line(`${name}_count`, labels, count)
}

function line(name: string, labels: LabelSet, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`)
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${number(value)}\n`
}

function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}
