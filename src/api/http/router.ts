import { StatusError } from '../../lib/errors.ts'
import type { Method, Route } from './route.ts'
import { httpFault } from './status.ts'

export interface Match {
  readonly route: Route
  readonly params: Readonly<Record<string, string>>
}

/** One segment of the tree of paths. */
interface Node {
  readonly fixed: Map<string, Node>
  variable?: Node
  readonly routes: Map<Method, Route>
}

/** Finds routes by path. A fixed segment wins over a parameter; each parameter is one whole segment. */
export class Router {
  readonly #root = newNode()

  constructor(routes: readonly Route[]) {
    for (const route of routes) this.#add(route)
  }

  /** @throws {StatusError} 404 for an unknown path, 405 for a path that has other methods only */
  match(method: string, path: string): Match {
    const values: string[] = []
    const node = find(this.#root, path.split('/').slice(1), values)
    if (node === undefined) throw new StatusError('not_found', `No such path: ${path.slice(0, 200)}`)
    const route = node.routes.get(method as Method) ?? (method === 'HEAD' ? node.routes.get('GET') : undefined)
    if (route === undefined) {
      const known = [...node.routes.keys()].join(', ')
      throw httpFault(405, `${method} is not possible on ${path.slice(0, 200)}; it has ${known}`)
    }
    const names = segmentsOf(route).filter((segment) => segment.startsWith(':'))
    return { route, params: Object.fromEntries(names.map((name, index) => [name.slice(1), decode(values[index]!)])) }
  }

  #add(route: Route): void {
    let node = this.#root
    for (const segment of segmentsOf(route)) {
      if (segment.startsWith(':')) {
        node.variable ??= newNode()
        node = node.variable
      } else {
        const next = node.fixed.get(segment) ?? newNode()
        node.fixed.set(segment, next)
        node = next
      }
    }
    if (node.routes.has(route.method)) throw new Error(`Route ${route.method} ${route.path} is there twice`)
    node.routes.set(route.method, route)
  }
}

function find(node: Node, segments: readonly string[], values: string[]): Node | undefined {
  const [segment, ...rest] = segments
  if (segment === undefined) return node.routes.size > 0 ? node : undefined
  const fixed = node.fixed.get(segment)
  const found = fixed === undefined ? undefined : find(fixed, rest, values)
  if (found !== undefined || node.variable === undefined || segment === '') return found
  values.push(segment)
  const behind = find(node.variable, rest, values)
  if (behind === undefined) values.pop()
  return behind
}

function segmentsOf(route: Route): string[] {
  return route.path.split('/').slice(1)
}

function newNode(): Node {
  return { fixed: new Map(), routes: new Map() }
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new StatusError('invalid_argument', `Cannot decode "${segment.slice(0, 100)}" in the request's path`)
  }
}
