import { Histogram } from '../../lib/histogram.ts'
import type { Answered } from '../http/server.ts'
import type { Metric } from './exposition.ts'

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

/**
 * How long answers take, by route, method and class of status: a bounded number of series, since routes are patterns
 * and what matches none is one route.
 */
export class RequestDurations {
  readonly #series = new Map<string, readonly [Readonly<Record<string, string>>, Histogram]>()

  observe({ route, method, status, seconds }: Answered): void {
    const labels = {
      route: route ?? 'none',
      method: route === undefined ? 'none' : method,
      status: `${Math.floor(status / 100)}xx`,
    }
    const key = Object.values(labels).join(' ')
    let series = this.#series.get(key)
    if (series === undefined) {
      series = [labels, new Histogram(SECONDS)]
      this.#series.set(key, series)
    }
    series[1].observe(seconds)
  }

  metric(): Metric {
    return {
      name: 'condenser_http_request_duration_seconds',
      help: 'Time from a request to the head of its answer; without those that wait for something to happen.',
      type: 'histogram',
      series: [...this.#series.values()].map(([labels, histogram]) => [labels, histogram.data()]),
    }
  }
}
