import type { OpenApiDocument } from '../http/openapi.ts'
import { json } from '../http/reply.ts'
import { type Route, route } from '../http/route.ts'

const HTML = 'text/html; charset=utf-8'
const DESCRIPTION = `The REST API of Condenser: on its unix socket, and over TLS for holders of a client certificate.
Every JSON answer has a status, a message for people, and data.`

/** The envelope of types.ts, as JSON Schema. */
const success = {
  type: 'object',
  properties: { status: { const: 'success' }, message: { type: 'string' }, data: {} },
  required: ['status'],
}
const failure = {
  type: 'object',
  properties: {
    status: { const: 'fail' },
    message: { type: 'string' },
    code: { type: 'string' },
    data: { type: 'object', description: 'of a manifest: what is wrong with each of its documents' },
  },
  required: ['status', 'message', 'code'],
}

/** The documentation of `routes` and of these two themselves, made from their schemas when somebody asks. */
export function docsRoutes(version: string, routes: readonly Route[]): readonly Route[] {
  const own: readonly Route[] = [
    route('GET', '/v1/openapi.json', {}, async () => json(200, await document())),

    route('GET', '/v1/docs', {}, async () => {
      const { docsPage } = await import('../http/docs-page.ts')
      const headers = {
        'content-type': HTML,
        'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
      }
      return { status: 200, headers, body: docsPage(await document()) }
    }),
  ]

  async function document(): Promise<OpenApiDocument> {
    const [{ openApi }, { notes }] = await Promise.all([import('../http/openapi.ts'), import('./route-notes.ts')])
    const about = { title: 'Condenser', version, description: DESCRIPTION }
    return openApi([...routes, ...own], { ...about, notes, success, failure })
  }
  return own
}
