import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseMetrics } from '../../../test/support/prometheus.ts'
import { Histogram } from '../../lib/histogram.ts'
import { exposition, single } from './exposition.ts'

test('a metric is its help, its type and a line for each series', () => {
  assert.equal(
    exposition({
      name: 'a_total',
      help: 'What\nit is.',
      type: 'counter',
      series: [
        [{ x: 'a"b\\c\nd', y: '' }, 1.5],
        [{ x: '', y: 'z' }, 0],
      ],
    }),
    '# HELP a_total What\\nit is.\n# TYPE a_total counter\na_total{x="a\\"b\\\\c\\nd",y=""} 1.5\na_total{x="",y="z"} 0\n',
  )
  assert.equal(exposition(single('gauge', 'b', 'B.', 1e21)), '# HELP b B.\n# TYPE b gauge\nb 1e+21\n')
  assert.equal(exposition({ name: 'c', help: 'C.', type: 'gauge', series: [] }), '')
})

test('a histogram has buckets that add up, a sum and a count', () => {
  const histogram = new Histogram([0.1, 1])
  for (const value of [0.05, 0.5, 5]) histogram.observe(value)
  assert.equal(
    exposition({ name: 'd', help: 'D.', type: 'histogram', series: [[{ route: '/x' }, histogram.data()]] }),
    `# HELP d D.
# TYPE d histogram
d_bucket{route="/x",le="0.1"} 1
d_bucket{route="/x",le="1"} 2
d_bucket{route="/x",le="+Inf"} 3
d_sum{route="/x"} 5.55
d_count{route="/x"} 3
`,
  )
})

test('whatever a label or a value is, a strict parser finds the same again', () => {
  const value = fc.double({ noNaN: true, min: 0 })
  const labels = fc.record({ one: fc.string({ unit: 'grapheme' }), two: fc.string() })
  fc.assert(
    fc.property(labels, value, fc.string({ minLength: 1 }), (labels, value, help) => {
      const text = exposition({ name: 'x_total', help: `H${help}`, type: 'counter', series: [[labels, value]] })
      assert.deepEqual(parseMetrics(text).get('x_total')?.samples, [{ name: 'x_total', labels: { ...labels }, value }])
    }),
  )
})
