import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LabelSelector, selects } from './label-selector.ts'

const labels = { app: 'web', tier: '' }

test('selects() wants all of a selector', () => {
  const cases: readonly [LabelSelector, boolean][] = [
    [{}, true],
    [{ matchLabels: { app: 'web', tier: '' } }, true],
    [{ matchLabels: { app: 'db' } }, false],
    [{ matchLabels: { constructor: 'web' } }, false],
    [{ matchExpressions: [{ key: 'app', operator: 'In', values: ['db', 'web'] }] }, true],
    [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }, false],
    [{ matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] }, false],
    [{ matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['a'] }] }, true],
    [{ matchExpressions: [{ key: 'tier', operator: 'Exists' }] }, true],
    [{ matchExpressions: [{ key: 'toString', operator: 'Exists' }] }, false],
    [{ matchExpressions: [{ key: 'zone', operator: 'DoesNotExist' }] }, true],
    [{ matchLabels: { app: 'web' }, matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }, false],
  ]
  for (const [selector, wanted] of cases) assert.equal(selects(selector, labels), wanted, JSON.stringify(selector))
  assert.equal(selects({ matchLabels: { app: 'web' } }), false)
})
