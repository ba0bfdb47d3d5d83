import assert from 'node:assert/strict'
import type { ApiClient } from './api-client.ts'

/** Records, kernel and disk agree, as far as the daemon's own check can tell. */
export async function assertAgreement(api: ApiClient): Promise<void> {
  const checked = await api.post('/v1/system/check', {})
  assert.equal(checked.status, 200, checked.text)
  assert.deepEqual(checked.json.data, { ok: true, findings: [] })
}
