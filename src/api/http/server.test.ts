import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { createConnection, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { throwIfEnded } from '../../lib/ctx.ts'
import { StatusError } from '../../lib/errors.ts'
import { jsonLogger, silentLogger } from '../../lib/log.ts'
import { array, boolean, integer, object, optional, string } from '../../lib/schema.ts'
import { JSON_LIMIT } from './body.ts'
import type { Caller } from './caller.ts'
import { json, primed, stream } from './reply.ts'
import { type Route, route } from './route.ts'
import { HttpServer } from './server.ts'
import { httpStatus } from './status.ts'

const echoBody = object({ text: optional(string()), count: optional(integer()) })
const echoQuery = object({ on: optional(boolean()), n: optional(integer()), tag: optional(array(string())) })

const basicRoutes: readonly Route[] = [
  route('POST', '/echo/:name', { body: echoBody, query: echoQuery }, ({ params, body, query }) =>
    json(200, { params, body, query }),
  ),
  route('GET', '/echo/fixed', {}, () => json(200, 'fixed')),
  route('GET', '/fault', {}, () => {
    throw new Error('secret')
  }),
  route('GET', '/conflict', {}, () => {
    throw new StatusError('conflict', 'Taken')
  }),
  route('POST', '/count', {}, async ({ stream: body }) => {
    let bytes = 0
    for await (const chunk of body) bytes += chunk.length
    return json(200, { bytes })
  }),
  route('POST', '/leave', {}, async ({ stream: body }) => {
    for await (const _ of body) throw new StatusError('invalid_argument', 'Not an archive')
    return json(200, null)
  }),
  route('POST', '/ignore', {}, () => json(200, 'ignored')),
]

const identify = (): Caller => ({ who: { uid: 7, pid: 8 }, admitted: true })

async function serve(t: TestContext, routes: readonly Route[] = basicRoutes, auditLog = silentLogger) {
  const dir = await mkdtemp(join(tmpdir(), 'condenser-http-'))
  const errorReply = (error: StatusError, id: string) =>
    json(httpStatus(error), { code: error.code, message: error.code === 'internal' ? id : error.message })
  const server = new HttpServer({ frontEnd: { routes, errorReply }, identify, log: silentLogger, auditLog })
  const socketPath = join(dir, 'api.sock')
  await server.listenUnix(socketPath)
  t.after(async () => {
    await server.close(0)
    await rm(dir, { recursive: true })
  })
  return { server, socketPath }
}

async function open(options: RequestOptions, body?: string | Buffer): Promise<IncomingMessage> {
  const request = httpRequest(options)
  request.end(body)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return response
}

async function call(options: RequestOptions, body?: string | Buffer) {
  const response = await open(options, body)
  return { status: response.statusCode, headers: response.headers, body: JSON.parse(await text(response)) }
}

test('HttpServer takes JSON, whatever its content type, and none at all', async (t) => {
  const { socketPath } = await serve(t)
  const post = (path: string, body?: string) =>
    call({ socketPath, method: 'POST', path, headers: { 'content-type': 'application/x-www-form-urlencoded' } }, body)
  const { status, body, headers } = await post('/echo/a%2Fb?on&n=5&tag=x&tag=y', '{"text":"hällo"}')
  assert.equal(status, 200)
  assert.deepEqual(body, {
    params: { name: 'a/b' },
    body: { text: 'hällo' },
    query: { on: true, n: 5, tag: ['x', 'y'] },
  })
  assert.match(String(headers['x-request-id']), /^[0-9a-f]{6}-\d+$/)
  assert.deepEqual((await post('/echo/x')).body.body, {})
  assert.deepEqual((await call({ socketPath, path: '/echo/fixed' })).body, 'fixed')
})

test('HttpServer answers what is wrong in the form of the front end', async (t) => {
  const { socketPath } = await serve(t)
  const cases: readonly [string, string, string | Buffer | undefined, number, RegExp][] = [
    ['GET', '/nowhere', undefined, 404, /No such path: \/nowhere/],
    ['GET', '/', undefined, 404, /No such path/],
    ['GET', '/echo/', undefined, 404, /No such path/],
    ['DELETE', '/fault', undefined, 405, /DELETE is not possible on \/fault; it has GET/],
    ['POST', '/echo/%zz', undefined, 400, /Cannot decode "%zz"/],
    ['POST', '/echo/a', '{"tex":1}', 400, /unknown field "tex"; known are: text, count/],
    ['POST', '/echo/a', '{"count":"1"}', 400, /"count" must be an integer, not "1"/],
    ['POST', '/echo/a', '[]', 400, /must be an object, not a list/],
    ['POST', '/echo/a', '{', 400, /not valid JSON/],
    ['POST', '/echo/a', Buffer.from([0x22, 0xff, 0x22]), 400, /not valid UTF-8/],
    ['POST', '/echo/a', '['.repeat(JSON_LIMIT), 400, /The request/],
    ['POST', '/echo/a', Buffer.alloc(JSON_LIMIT + 1, 0x20), 413, /larger than the 1048576 bytes/],
    ['POST', '/echo/a?n=x', undefined, 400, /The query: "n" must be an integer, not "x"/],
    ['POST', '/echo/a?on=maybe', undefined, 400, /"on" must be true or false/],
    ['POST', '/echo/a?n=1&n=2', undefined, 400, /"n" more than once/],
    ['POST', '/echo/a?nn=1', undefined, 400, /unknown field "nn"; known are: on, n, tag/],
    ['GET', '/conflict', undefined, 409, /Taken/],
  ]
  for (const [method, path, body, status, message] of cases) {
    const answer = await call({ socketPath, method, path }, body)
    assert.equal(answer.status, status, `${method} ${path}: ${answer.body.message}`)
    assert.match(answer.body.message, message)
  }
})

test('HttpServer keeps what is internal to itself', async (t) => {
  const { socketPath } = await serve(t)
  const { status, headers, body } = await call({ socketPath, path: '/fault' })
  assert.equal(status, 500)
  assert.deepEqual(body, { code: 'internal', message: headers['x-request-id'] })
})

test('HttpServer refuses an endless JSON body without a length, and closes', async (t) => {
  const { socketPath } = await serve(t)
  const request = httpRequest({ socketPath, method: 'POST', path: '/echo/a' })
  request.on('error', () => {})
  const feeding = setInterval(() => request.write(Buffer.alloc(65_536, 0x20)), 1)
  t.after(() => clearInterval(feeding))
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  assert.equal(response.statusCode, 413)
  assert.equal(response.headers.connection, 'close')
  await text(response)
})

test('HttpServer streams bodies of any size, and does without those that nobody reads', async (t) => {
  const { socketPath } = await serve(t)
  const body = Buffer.alloc(3 * JSON_LIMIT)
  assert.deepEqual((await call({ socketPath, method: 'POST', path: '/count' }, body)).body, { bytes: body.length })
  const left = await call({ socketPath, method: 'POST', path: '/leave' }, body)
  assert.deepEqual([left.status, left.body.message], [400, 'Not an archive'])
  const ignored = await call({ socketPath, method: 'POST', path: '/ignore' }, 'x=1')
  assert.deepEqual([ignored.body, ignored.headers.connection], ['ignored', 'keep-alive'])
})

test('HttpServer answers what is not HTTP', async (t) => {
  const { socketPath } = await serve(t)
  const say = async (words: string) => {
    const socket = createConnection(socketPath)
    socket.end(words)
    return text(socket)
  }
  assert.match(await say('rubbish\r\n\r\n'), /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*not valid HTTP/)
  const head = `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`
  assert.match(await say(head), /^HTTP\/1\.1 431 /)
})

test('HttpServer reads a stream no faster than its client, and closes it when the client goes', async (t) => {
  const chunk = Buffer.alloc(65_536)
  let produced = 0
  const { promise: closed, resolve: close } = Promise.withResolvers<void>()
  async function* endless() {
    try {
      for (;;) {
        produced++
        yield chunk
        await new Promise(setImmediate)
      }
    } finally {
      close()
    }
  }
  const { socketPath } = await serve(t, [route('GET', '/endless', {}, () => stream('text/plain', endless()))])
  const response = await open({ socketPath, path: '/endless' })
  await once(response, 'readable')
  for (let before = -1; before !== produced; ) {
    before = produced
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert(produced < 100, `${produced} chunks wait for nobody`)
  response.destroy()
  await closed
})

test('HttpServer ends the context of a request whose client goes', async (t) => {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const wait = route('GET', '/wait', {}, async ({ ctx }) => {
    begin()
    await once(ctx.signal, 'abort')
    end()
    return json(200, null)
  })
  const { socketPath } = await serve(t, [wait])
  const request = httpRequest({ socketPath, path: '/wait' }).end()
  request.on('error', () => {})
  await begun
  request.destroy()
  await ended
})

test('HttpServer cuts a stream that fails half way, and answers one that fails at once', async (t) => {
  async function* failing(items: number) {
    for (let i = 0; i < items; i++) yield 'x'
    throw new StatusError('unavailable', 'Gone')
  }
  const failAfter = (path: string, items: number) =>
    route('GET', path, {}, async () => stream('text/plain', await primed(failing(items))))
  const { socketPath } = await serve(t, [failAfter('/0', 0), failAfter('/1', 1)])
  assert.deepEqual(await call({ socketPath, path: '/0' }).then(({ status, body }) => [status, body.message]), [
    503,
    'Gone',
  ])
  const response = await open({ socketPath, path: '/1' })
  await assert.rejects(text(response), /aborted/)
})

test('HttpServer.close() finishes what runs, takes nothing new, and cuts off after the grace', async (t) => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const { promise: finish, resolve: allow } = Promise.withResolvers<void>()
  const slow = route('GET', '/slow', {}, async () => {
    begin()
    await finish
    return json(200, 'done')
  })
  const endless = route('GET', '/endless', {}, async ({ ctx }) => {
    await once(ctx.signal, 'abort')
    return json(200, null)
  })
  const { server, socketPath } = await serve(t, [slow, endless])
  const answer = call({ socketPath, path: '/slow' })
  await begun
  const closed = server.close(60_000)
  await assert.rejects(call({ socketPath, path: '/slow' }), { code: /ENOENT|ECONNREFUSED/ })
  allow()
  const { body, headers } = await answer
  assert.equal(body, 'done')
  assert.equal(headers.connection, 'close')
  await closed

  const other = await serve(t, [slow, endless])
  const cut = call({ socketPath: other.socketPath, path: '/endless' })
  const rejected = assert.rejects(cut)
  await new Promise((resolve) => setTimeout(resolve, 20))
  await other.server.close(0)
  await rejected
})

test('HttpServer.close() ends at once, with a reason, what waits for what may never happen', async (t) => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const wait = route('GET', '/wait', { waits: true }, async ({ ctx }) => {
    begin()
    await once(ctx.signal, 'abort')
    throwIfEnded(ctx)
    return json(200, null)
  })
  const { server, socketPath } = await serve(t, [wait])
  const answer = call({ socketPath, path: '/wait' })
  await begun
  await server.close(60_000)
  const { status, body } = await answer
  assert.equal(status, 503)
  assert.match(body.message, /stopping/)
})

test('HttpServer.listenUnix() sets the mode, replaces a stale socket, and nothing else', async (t) => {
  const { server, socketPath } = await serve(t)
  assert.equal((await stat(socketPath)).mode & 0o7777, 0o660)
  const errorReply = () => json(500, null)
  await using second = new HttpServer({
    frontEnd: { routes: basicRoutes, errorReply },
    identify,
    log: silentLogger,
    auditLog: silentLogger,
  })
  await second.listenUnix(socketPath)
  assert.equal((await call({ socketPath, path: '/echo/fixed' })).body, 'fixed')
  await server.close(0)

  const file = `${socketPath}.txt`
  await writeFile(file, '')
  await using third = new HttpServer({
    frontEnd: { routes: basicRoutes, errorReply },
    identify,
    log: silentLogger,
    auditLog: silentLogger,
  })
  await assert.rejects(third.listenUnix(file), { code: 'failed_precondition' })
})

test('HttpServer audits what may change something and what it refuses, without bodies and queries', async (t) => {
  const lines: Record<string, unknown>[] = []
  const log = jsonLogger('info', (line) => lines.push(JSON.parse(line)))
  const { server, socketPath } = await serve(t, basicRoutes, log)
  await call({ socketPath, path: '/echo/fixed' })
  await call({ socketPath, method: 'POST', path: '/echo/x?tag=secret' }, '{"text":"secret"}')
  await call({ socketPath, method: 'POST', path: '/nowhere' })

  // A connection that somebody else has accepted, of a stranger.
  const [accepted, stranger] = await pair(t)
  server.adopt(accepted, { who: { spiffeId: 'spiffe://raind/other/x' }, admitted: false })
  stranger.write('GET /echo/fixed HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  const answer = await text(stranger)
  assert.match(answer, /^HTTP\/1\.1 403 .*content-type: text\/plain\r\n.*\r\n\r\nforbidden$/s)

  assert.deepEqual(
    lines.map(({ time: _time, level: _level, requestId: _id, ...rest }) => rest),
    [
      { message: 'audit', uid: 7, pid: 8, method: 'POST', status: 200, path: '/echo/x' },
      { message: 'audit', uid: 7, pid: 8, method: 'POST', status: 404, path: '/nowhere' },
      { message: 'audit', spiffeId: 'spiffe://raind/other/x', method: 'GET', status: 403, path: '/echo/fixed' },
    ],
  )
})

/** The two ends of a connection. */
async function pair(t: TestContext): Promise<[Socket, Socket]> {
  const listener = createServer().listen({ path: `\0condenser-test-${process.pid}` })
  t.after(() => listener.close())
  await once(listener, 'listening')
  const near = createConnection({ path: `\0condenser-test-${process.pid}` })
  const [far] = (await once(listener, 'connection')) as [Socket]
  return [far, near]
}
