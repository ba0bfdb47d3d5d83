import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHealthcheck } from './healthcheck.ts'

test('toHealthcheck(): golden; what is 0 or empty is left to the image', () => {
  assert.deepEqual(
    toHealthcheck({
      test: ['CMD', 'true'],
      interval: '1m30s',
      timeout: '500ms',
      startPeriod: '0s',
      startInterval: '',
      retries: 0,
    }),
    { test: ['CMD', 'true'], intervalMs: 90_000, timeoutMs: 500 },
  )
  assert.deepEqual(toHealthcheck({ interval: '0.1ms', retries: 2 }), { intervalMs: 1, retries: 2 })
  assert.deepEqual(toHealthcheck({ interval: '1000d' }), { intervalMs: 2 ** 31 - 1 })
  assert.throws(() => toHealthcheck({ interval: 'soon' }), {
    code: 'invalid_argument',
    message: /Invalid interval of the health check "soon"/,
  })
})
