import type { ObjectRules, Rules } from '../../lib/schema.ts'
import type { Route } from './route.ts'

/** What the documentation says of a route besides its schemas. */
export interface RouteNotes {
  /** What it does, in one line. */
  readonly summary: string
  /** What it stands under; by default the noun that its path begins with. */
  readonly tag?: string
  /** Media type of a body that is not JSON. */
  readonly takes?: string
  /** Media types of what it answers; JSON if none is named. */
  readonly gives?: readonly string[]
}

export interface OpenApiOptions {
  readonly title: string
  readonly version: string
  readonly description: string
  /** By method and path, as in `GET /v1/containers/:containerId`. */
  readonly notes: Readonly<Record<string, RouteNotes>>
  /** JSON Schemas of an answer that went well, and of one that did not. */
  readonly success: object
  readonly failure: object
}

export interface OpenApiDocument {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<'Success' | 'Failure', object>> }
}

export interface Operation {
  readonly operationId: string
  readonly summary?: string
  readonly tags: readonly string[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required: boolean; readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content: Content }>>
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required: boolean
  readonly schema: Rules
}

type NotedRoute = Route & Partial<RouteNotes>
type Content = Readonly<Record<string, { readonly schema: object }>>

const JSON_TYPE = 'application/json'

/** The OpenAPI 3.1 document of these routes. Their schemas are JSON Schema 2020-12 as it wants them, and go in as they are. */
export function openApi(routes: readonly Route[], options: OpenApiOptions): OpenApiDocument {
  const { title, version, description, notes, success, failure } = options
  const noted = routes.map((route) => ({ ...route, ...notes[`${route.method} ${route.path}`] }))
  const paths: Record<string, Record<string, Operation>> = {}
  for (const route of noted) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) }
  }
  return {
    openapi: '3.1.1',
    info: { title, version, description },
    tags: [...new Set(noted.map(tagOf))].map((name) => ({ name })),
    paths,
    components: { schemas: { Success: success, Failure: failure } },
  }
}

function operation(route: NotedRoute): Operation {
  const parameters = [...pathParameters(route), ...queryParameters(route)]
  return {
    operationId: operationId(route),
    ...(route.summary !== undefined && { summary: route.summary }),
    tags: [tagOf(route)],
    ...(parameters.length > 0 && { parameters }),
    ...requestBody(route),
    responses: responses(route),
  }
}

/** `getContainersByContainerIdLog` */
function operationId({ method, path }: Route): string {
  const words = nounsOf(path).map((segment) => (segment.startsWith(':') ? `by-${segment.slice(1)}` : segment))
  const camel = words.join('-').replaceAll(/[-.]+(\w)/g, (_, letter: string) => letter.toUpperCase())
  return method.toLowerCase() + camel.charAt(0).toUpperCase() + camel.slice(1)
}

function tagOf({ path, tag }: NotedRoute): string {
  return tag ?? nounsOf(path)[0]!
}

/** Without the version that all paths begin with. */
function nounsOf(path: string): string[] {
  return path.split('/').slice(2)
}

function pathParameters({ path }: Route): Parameter[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name: name!,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
}

function queryParameters({ query }: Route): Parameter[] {
  if (query === undefined) return []
  const { properties = {}, required = [] } = query as ObjectRules
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }))
}

function requestBody({ body, takes }: NotedRoute): Pick<Operation, 'requestBody'> {
  if (takes !== undefined) {
    return { requestBody: { required: true, content: { [takes]: { schema: {} } } } }
  }
  if (body === undefined) return {}
  const required = ((body as ObjectRules).required ?? []).length > 0
  return { requestBody: { required, content: { [JSON_TYPE]: { schema: body } } } }
}

function responses({ gives = [JSON_TYPE] }: NotedRoute): Operation['responses'] {
  const schemaOf = (type: string) => (type === JSON_TYPE ? { $ref: '#/components/schemas/Success' } : {})
  const content = Object.fromEntries(gives.map((type) => [type, { schema: schemaOf(type) }]))
  const failed = { [JSON_TYPE]: { schema: { $ref: '#/components/schemas/Failure' } } }
  return {
    '2XX': { description: 'It went well', content },
    default: { description: 'It did not: `message` says why', content: failed },
  }
}
