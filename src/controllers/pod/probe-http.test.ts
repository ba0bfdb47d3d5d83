import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { type HttpTarget, httpGet } from './probe-http.ts'

async function listen(t: TestContext, server: Server, host = '127.0.0.1'): Promise<number> {
  server.listen(0, host)
  await once(server, 'listening')
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

/** A server that talks as it likes, once something has come. Its connection must have ended when the test does. */
async function rude(t: TestContext, talk: (socket: Socket) => void): Promise<number> {
  const closed: Promise<unknown>[] = []
  const server = createServer((socket) => {
    closed.push(new Promise((resolve) => socket.once('close', resolve)))
    socket.on('error', () => {})
    socket.once('data', () => talk(socket))
  })
  const port = await listen(t, server)
  t.after(() => Promise.all(closed))
  return port
}

const web = (t: TestContext, answer: RequestListener, host?: string) => listen(t, createHttpServer(answer), host)

function get(port: number, target: Partial<HttpTarget> = {}, signal = AbortSignal.timeout(10_000)): Promise<number> {
  return httpGet(signal, {
    scheme: 'http',
    host: '127.0.0.1',
    port,
    path: '/',
    headers: [],
    userAgent: 'probe',
    ...target,
  })
}

/** Writes something, and then something else for ever, as fast as it is read. */
function endless(first: string, piece: string): (socket: Socket) => void {
  const pieces = piece.repeat(1000)
  return (socket) => {
    const write = () => {
      while (!socket.destroyed && socket.write(pieces));
    }
    socket.on('drain', write)
    socket.write(first)
    write()
  }
}

const OK = 'HTTP/1.1 200 OK\r\n'

describe('httpGet()', () => {
  test('tells the status, whatever it is', async (t) => {
    let status = 0
    const port = await web(t, (_request, response) => response.writeHead(status).end('x'.repeat(100)))
    for (status of [200, 204, 299, 304, 400, 404, 500, 503]) assert.equal(await get(port), status)
  })

  test('sends what kubelet sends, and what the manifest says', async (t) => {
    const seen: unknown[] = []
    const port = await web(t, ({ method, url, rawHeaders }, response) => {
      seen.push([method, url, rawHeaders])
      response.end()
    })
    const headers = [
      { name: 'X-Twice', value: '1' },
      { name: 'X-Twice', value: '2' },
      { name: 'host', value: 'web.example' },
      { name: 'user-agent', value: 'mine' },
      { name: 'Transfer-Encoding', value: 'chunked' },
    ]
    await get(port, { path: 'a b?c=%20d#e', userAgent: 'kube-probe/1' })
    await get(port, { path: '//elsewhere.example/x', headers })
    assert.deepEqual(seen, [
      [
        'GET',
        '/a%20b?c=%20d',
        ['Host', `127.0.0.1:${port}`, 'User-Agent', 'kube-probe/1', 'Accept', '*/*', 'Connection', 'close'],
      ],
      [
        'GET',
        '//elsewhere.example/x',
        [
          ...['Host', 'web.example', 'Accept', '*/*', 'X-Twice', '1', 'X-Twice', '2'],
          ...['user-agent', 'mine', 'Connection', 'close'],
        ],
      ],
    ])
  })

  test('goes to names and to addresses of both families', async (t) => {
    const port = await web(t, (_request, response) => response.end())
    assert.equal(await get(port, { host: 'localhost' }), 200)
    const port6 = await web(
      t,
      ({ headers }, response) => response.writeHead(headers.host === `[::1]:${port6}` ? 200 : 500).end(),
      '::1',
    )
    assert.equal(await get(port6, { host: '::1' }), 200)
  })

  test('does not look at certificates', async (t) => {
    const server = createHttpsServer({ key: KEY, cert: CERTIFICATE }, (_request, response) => response.end())
    const port = await listen(t, server)
    assert.equal(await get(port, { scheme: 'https' }), 200)
    assert.equal(await get(port, { scheme: 'https', host: 'localhost' }), 200)
    const plain = await web(t, (_request, response) => response.end())
    await assert.rejects(get(plain, { scheme: 'https' }), /^Error: Get "https:/)
  })

  test('follows redirects on the same host, and stops at those that leave it', async (t) => {
    const other = await web(t, (_request, response) => response.writeHead(204).end())
    const places: Record<string, [number, string?]> = {
      '/relative': [302, 'end'],
      '/port': [301, `http://127.0.0.1:${other}/`],
      '/away': [307, `http://localhost:${other}/`],
      '/nowhere': [308],
      '/not-one': [300, '/end'],
      '/odd': [302, 'ftp://127.0.0.1/'],
      '/loop': [302, '/loop'],
      '/end': [202],
    }
    const port = await web(t, ({ url }, response) => {
      const [status, location] = places[url!]!
      response.writeHead(status, location === undefined ? {} : { location }).end()
    })
    const statuses = await Promise.all(
      Object.keys(places)
        .filter((path) => path !== '/loop')
        .map((path) => get(port, { path })),
    )
    assert.deepEqual(statuses, [202, 204, 307, 308, 300, 302, 202])
    await assert.rejects(get(port, { path: '/loop' }), /more than 10 redirects/)
  })

  test('sends no header that would be something else', async () => {
    for (const header of [
      { name: 'A', value: 'b\r\nC: d' },
      { name: 'A: b\r\nC', value: 'd' },
    ])
      await assert.rejects(get(1, { headers: [header] }), /a header cannot be sent/)
  })

  test('fails where nobody listens, and says where that was', async (t) => {
    const server = createServer()
    const port = await listen(t, server)
    server.close()
    await once(server, 'close')
    await assert.rejects(get(port), new RegExp(`^Error: Get "http://127.0.0.1:${port}/": connect ECONNREFUSED`))
  })
})

describe('a server that httpGet() asks may', () => {
  const rejected = [
    ['close at once', (socket: Socket) => socket.destroy()],
    ['say nothing and end', (socket: Socket) => socket.end()],
    ['answer garbage', (socket: Socket) => socket.end('\0\x16garbage\r\n\r\n')],
    ['answer garbage without an end', endless('', 'garbage')],
    ['end in the middle of its headers', (socket: Socket) => socket.end(`${OK}Content-Le`)],
    ['end in the middle of its body', (socket: Socket) => socket.end(`${OK}Content-Length: 10\r\n\r\nfive.`)],
    ['send headers without an end', endless(OK, 'A: b\r\n')],
    ['send one header without an end', endless(`${OK}A: `, 'aaaa')],
    ['announce an answer for ever', endless('', 'HTTP/1.1 103 Early Hints\r\n\r\n')],
  ] as const
  for (const [name, talk] of rejected)
    test(`${name}: that is a failure`, async (t) => {
      await assert.rejects(get(await rude(t, talk)), /^Error: Get "/)
    })

  const taken = [
    ['send a body without an end', endless(`${OK}\r\n`, 'body')],
    ['send chunks without an end', endless(`${OK}Transfer-Encoding: chunked\r\n\r\n`, '4\r\nbody\r\n')],
    ['send the length of a chunk without an end', endless(`${OK}Transfer-Encoding: chunked\r\n\r\n`, '0000')],
    [
      'keep the connection',
      (socket: Socket) => socket.write(`${OK}Connection: keep-alive\r\nContent-Length: 1\r\n\r\n.`),
    ],
    ['end its body with the connection', (socket: Socket) => socket.end(`${OK}\r\nbody`)],
    [
      'hint before it answers',
      (socket: Socket) => socket.end(`HTTP/1.1 103 Early Hints\r\n\r\n${OK}Content-Length: 0\r\n\r\n`),
    ],
  ] as const
  for (const [name, talk] of taken)
    test(`${name}: its status counts`, async (t) => {
      assert.equal(await get(await rude(t, talk)), 200)
    })

  test('change the protocol: that is status 101', async (t) => {
    const port = await rude(t, (socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nmore')
    })
    assert.equal(await get(port), 101)
  })

  const slow = [
    ['not answer', () => {}],
    ['not end its headers', (socket: Socket) => socket.write(OK)],
    ['not end its body', (socket: Socket) => socket.write(`${OK}Content-Length: 10\r\n\r\nfive.`)],
    ['not say hello in TLS', () => {}],
  ] as const
  for (const [name, talk] of slow)
    test(`${name}: it is left when the time is up`, async (t) => {
      const asked = Promise.withResolvers<void>()
      const port = await rude(t, (socket) => {
        talk(socket)
        asked.resolve()
      })
      const ending = new AbortController()
      const answer = get(port, { scheme: name.includes('TLS') ? 'https' : 'http' }, ending.signal)
      const failure = assert.rejects(answer, /no answer in time/)
      await asked.promise
      ending.abort()
      await failure
    })

  test('not be asked any more when the time is up already', async () => {
    await assert.rejects(get(1, {}, AbortSignal.abort()), /no answer in time/)
    await assert.rejects(get(1, { host: 'name.invalid' }, AbortSignal.abort()), /abort/)
  })
})

/** Of a certificate by nobody for nobody. */
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg6g82r7nJ1GldNm5m
9nUw3RIrpyUFfD8YhFi3l8kErmChRANCAARasHtA7dLPshlV2mRQ82SLWZmfEWzY
MzI2z/4R6RcnhLWj2Tr4MAtojZHmkRIWlIbqEYQfCxzZC7aJPqfcVBd3
-----END PRIVATE KEY-----`
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBdzCCAR2gAwIBAgIUXhdlkY7NvkSwjBZz64yUkLgmi18wCgYIKoZIzj0EAwIw
EDEOMAwGA1UEAwwFcHJvYmUwIBcNMjYxMTI3MjAwMTQxWhgPMjEyNjExMDMyMDAx
NDFaMBAxDjAMBgNVBAMMBXByb2JlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
WrB7QO3Sz7IZVdpkUPNki1mZnxFs2DMyNs/+EekXJ4S1o9k6+DALaI2R5pESFpSG
6hGEHwsc2Qu2iT6n3FQXd6NTMFEwHQYDVR0OBBYEFK/3idVJOjebE6vn133aGyqS
jKpnMB8GA1UdIwQYMBaAFK/3idVJOjebE6vn133aGyqSjKpnMA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgWq+aOqGbtWZzoezXkSUDZbS9KLfOMZeS
d0a8vE1irCkCIQD2q1IcGfIYRAWVyTZ+yt3XExr4vDvclKJOdCcf11qHqA==
-----END CERTIFICATE-----`
