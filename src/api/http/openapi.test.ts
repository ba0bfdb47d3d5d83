import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, boolean, integer, map, object, oneOf, optional, string } from '../../lib/schema.ts'
import { docsPage } from './docs-page.ts'
import { openApi } from './openapi.ts'
import { json } from './reply.ts'
import { route } from './route.ts'

const body = object({
  name: string(),
  sizes: optional(array(integer({ minimum: 1 }))),
  labels: optional(map(string())),
})
const query = object({ all: optional(boolean()), kind: oneOf('a', 'b') })
const nothing = () => json(200, null)
const routes = [
  route('GET', '/v1/things', { query }, nothing),
  route('POST', '/v1/things/:thingId/actions/make-up', { body }, nothing),
  route('POST', '/v1/load', {}, nothing),
]
const notes = {
  'GET /v1/things': { summary: 'Lists <things>' },
  'POST /v1/load': { summary: 'Loads', tag: 'things', takes: 'application/x-tar', gives: ['text/plain'] },
}
const document = openApi(routes, { notes, title: 'T & Co', version: '1', description: 'D', success: {}, failure: {} })

test('openApi() says what the routes and their schemas say', () => {
  assert.deepEqual(document.tags, [{ name: 'things' }])
  const { get } = document.paths['/v1/things']!
  assert.deepEqual(get, {
    operationId: 'getThings',
    summary: 'Lists <things>',
    tags: ['things'],
    parameters: [
      { name: 'all', in: 'query', required: false, schema: { type: 'boolean' } },
      { name: 'kind', in: 'query', required: true, schema: { enum: ['a', 'b'] } },
    ],
    responses: get!.responses,
  })
  const { post } = document.paths['/v1/things/{thingId}/actions/make-up']!
  assert.equal(post!.operationId, 'postThingsByThingIdActionsMakeUp')
  assert.deepEqual(post!.parameters, [{ name: 'thingId', in: 'path', required: true, schema: { type: 'string' } }])
  assert.deepEqual(post!.requestBody, { required: true, content: { 'application/json': { schema: body } } })
  const load = document.paths['/v1/load']!.post!
  assert.deepEqual(load.requestBody, { required: true, content: { 'application/x-tar': { schema: {} } } })
  assert.deepEqual(load.responses['2XX']!.content, { 'text/plain': { schema: {} } })
})

test('docsPage() shows each operation and its fields, and loads nothing', () => {
  const page = docsPage(document)
  assert.match(page, /<h1>T &amp; Co 1<\/h1>/)
  assert.match(page, /<b>GET<\/b> \/v1\/things<span>Lists &lt;things&gt;<\/span>/)
  assert.match(page, /<th>sizes<td>list of integer from 1<td>\n/)
  assert.match(page, /<th>name<td>text<td>required\n/)
  assert.match(page, /<th>labels<td>map to text<td>/)
  assert.match(page, /Takes <code>application\/x-tar<\/code>/)
  assert.doesNotMatch(page, /<script|<link|<img|src=|https?:/)
})
