import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Ctx } from '../../src/lib/ctx.ts'
import { hasCode, type StatusCode } from '../../src/lib/errors.ts'
import { jsonLogger, silentLogger } from '../../src/lib/log.ts'
import {
  completePlatform,
  createRegistryClient,
  parseImageReference,
  type RegistryAuth,
  type RegistryConfig,
} from '../../src/registry/index.ts'
import { ociImage } from '../support/oci-image.ts'
import { makeCertificate } from '../support/registry.ts'

// Servers that do what the real registry cannot be made to do.

const ctx: Ctx = { signal: new AbortController().signal, log: silentLogger }
const platform = completePlatform({ architecture: 'amd64' })
const image = ociImage({ layers: [{ content: Buffer.alloc(300_000, 'layer '), compression: 'none' }] })
const layer = image.layers[0]!
const layerBytes = image.blobs.get(layer.digest)!
const manifest = image.manifests.get(image.target.digest)!
const alice = { username: 'alice', password: 'wonderland' }
const limits = { tries: 3, backoff: { firstMs: 1, maxMs: 1, jitter: 0 } }
/** For servers that say nothing; the others have the time of a busy machine. */
const impatient = { ...limits, idleTimeoutMs: 1000, responseTimeoutMs: 1000 }

type Answer = (request: IncomingMessage, response: ServerResponse) => void

interface Server extends AsyncDisposable {
  readonly host: string
  /** `METHOD path authorization` of every request so far. */
  readonly seen: string[]
}

async function serve(
  answer: Answer,
  address = '127.0.0.1',
  tls?: { certificate: string; key: string },
): Promise<Server> {
  const seen: string[] = []
  const listener: Answer = (request, response) => {
    seen.push([request.method, request.url, request.headers.authorization ?? ''].join(' ').trim())
    answer(request, response)
  }
  const server = tls
    ? createTlsServer({ cert: await readFile(tls.certificate), key: await readFile(tls.key) }, listener)
    : createServer(listener)
  server.listen(0, address)
  await once(server, 'listening')
  return {
    host: `${address}:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const isManifest = ({ url }: IncomingMessage) => url!.includes('/manifests/')

function sendManifest(response: ServerResponse): void {
  response.setHeader('content-type', manifest.mediaType).end(manifest.bytes)
}

function sendLayer({ headers }: IncomingMessage, response: ServerResponse): void {
  const start = Number(/bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0)
  if (start > 0) {
    response.statusCode = 206
    response.setHeader('content-range', `bytes ${start}-${layer.size - 1}/${layer.size}`)
  }
  response.setHeader('content-length', layer.size - start).end(layerBytes.subarray(start))
}

function clientFor(host: string, config: RegistryConfig = {}, own = limits) {
  return createRegistryClient({ registries: { [host]: config }, limits: own })
}

async function resolveFrom(host: string, options: { auth?: RegistryAuth; config?: RegistryConfig } = {}, own = limits) {
  return await clientFor(host, options.config, own).resolve(ctx, parseImageReference(`${host}/app`), {
    ...options,
    platform,
  })
}

async function fetchLayer(host: string, offset = 0, context = ctx, own = limits): Promise<Buffer> {
  const stream = await clientFor(host, {}, own).fetchBlob(context, parseImageReference(`${host}/app`), layer, {
    offset,
  })
  return Buffer.concat(await Array.fromAsync(stream))
}

const failsWith = (code: StatusCode, message: RegExp) => (error: unknown) => {
  assert.ok(hasCode(error, code), String(error))
  assert.match(error.message, message)
  assert.doesNotMatch(error.message, /wonderland/)
  return true
}

describe('tokens', () => {
  function tokenServer(reply: object, realmHost?: () => string): Answer {
    return (request, response) => {
      if (request.url!.startsWith('/token')) {
        response.end(JSON.stringify(reply))
      } else if (request.headers.authorization !== 'Bearer t0ken') {
        const realm = `http://${realmHost?.() ?? request.headers.host}/token`
        response.writeHead(401, { 'www-authenticate': `Basic realm="x", Bearer realm="${realm}",service="svc"` }).end()
      } else if (isManifest(request)) {
        sendManifest(response)
      } else {
        sendLayer(request, response)
      }
    }
  }

  test('are fetched for everybody, by either name, and used until they expire', async () => {
    for (const reply of [{ token: 't0ken', expires_in: 300 }, { access_token: 't0ken' }]) {
      await using server = await serve(tokenServer(reply))
      const client = clientFor(server.host)
      const ref = parseImageReference(`${server.host}/app`)
      await client.resolve(ctx, ref, { platform })
      await Array.fromAsync(await client.fetchBlob(ctx, ref, layer))
      assert.deepEqual(server.seen, [
        'GET /v2/app/manifests/latest',
        'GET /token?service=svc&scope=repository%3Aapp%3Apull',
        'GET /v2/app/manifests/latest Bearer t0ken',
        `GET /v2/app/blobs/${layer.digest} Bearer t0ken`,
      ])
    }
  })

  test('that have expired are fetched again', async () => {
    await using server = await serve(tokenServer({ token: 't0ken', expires_in: 0.001 }))
    const client = clientFor(server.host)
    for (let pull = 0; pull < 2; pull++) {
      await client.resolve(ctx, parseImageReference(`${server.host}/app`), { platform })
    }
    assert.equal(server.seen.filter((line) => line.includes('/token')).length, 2)
  })

  test('are had for a password, or for an identity token', async () => {
    await using server = await serve(tokenServer({ token: 't0ken' }))
    await resolveFrom(server.host, { auth: alice })
    const basic = Buffer.from('alice:wonderland').toString('base64')
    assert.equal(server.seen[1], `GET /token?service=svc&scope=repository%3Aapp%3Apull&account=alice Basic ${basic}`)
    await resolveFrom(server.host, { auth: { identityToken: 'refresh' } })
    assert.equal(server.seen[4], 'POST /token')
    await resolveFrom(server.host, { auth: { registryToken: 't0ken' } })
    assert.equal(server.seen[6], 'GET /v2/app/manifests/latest Bearer t0ken')
  })

  test('of one user are not used for another', async () => {
    await using server = await serve(tokenServer({ token: 't0ken' }))
    const client = clientFor(server.host)
    const ref = parseImageReference(`${server.host}/app`)
    await client.resolve(ctx, ref, { auth: alice, platform })
    await client.resolve(ctx, ref, { platform })
    await client.resolve(ctx, ref, { auth: { ...alice, password: 'other' }, platform })
    assert.equal(server.seen.filter((line) => line.includes('/token')).length, 3)
  })

  test('are not had for a password at a host of another owner, unless that is configured', async () => {
    await using realm = await serve(tokenServer({ token: 't0ken' }), '127.0.0.2')
    await using server = await serve(tokenServer({}, () => realm.host))
    await assert.rejects(
      resolveFrom(server.host, { auth: alice }),
      failsWith('failed_precondition', /add "127\.0\.0\.2" to "tokenRealms"/),
    )
    assert.deepEqual(realm.seen, [])
    await resolveFrom(server.host)
    await resolveFrom(server.host, { auth: alice, config: { tokenRealms: ['127.0.0.2'] } })
    assert.equal(realm.seen.length, 2)
  })

  test('that do not help end in an error that says whose fault it is', async () => {
    const rows: readonly [status: number, auth: RegistryAuth | undefined, code: StatusCode, message: RegExp][] = [
      [401, alice, 'unauthenticated', /user "alice": wrong name or password/],
      [401, undefined, 'unauthenticated', /credentials are needed/],
      [403, alice, 'permission_denied', /denies access to "app"/],
      [503, alice, 'unavailable', /status 503/],
      [200, alice, 'unavailable', /without a token/],
    ]
    for (const [status, auth, code, message] of rows) {
      await using server = await serve((request, response) => {
        if (request.url!.startsWith('/token')) response.writeHead(status).end('no token')
        else tokenServer({})(request, response)
      })
      await assert.rejects(resolveFrom(server.host, { ...(auth && { auth }) }), failsWith(code, message))
    }
    await using server = await serve(tokenServer({ token: 'too-weak' }))
    await assert.rejects(resolveFrom(server.host, { auth: alice }), failsWith('permission_denied', /do not allow this/))
    await assert.rejects(resolveFrom(server.host), failsWith('unauthenticated', /credentials are needed/))
  })

  test('for a push have the scopes that the registry asks for; another host that takes the upload sees none', async () => {
    await using storage = await serve(
      (request, response) => request.resume().on('end', () => response.writeHead(201).end()),
      '127.0.0.2',
    )
    const pull = 'repository:app:pull'
    const push = 'repository:app:pull,push repository:base:pull'
    await using server = await serve((request, response) => {
      const url = new URL(request.url!, 'http://x')
      const scope = request.method === 'HEAD' ? pull : push
      const token = scope === pull ? 'reading' : 'writing'
      if (url.pathname === '/token') {
        const isPush = url.searchParams.getAll('scope').join(' ') === push
        response.end(JSON.stringify({ token: isPush ? 'writing' : 'reading' }))
      } else if (request.headers.authorization !== `Bearer ${token}`) {
        const realm = `http://${request.headers.host}/token`
        response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",scope="${scope}"` }).end()
      } else if (request.method === 'HEAD') response.writeHead(404).end()
      else response.writeHead(202, { location: `http://${storage.host}/put?signed=1` }).end()
    })
    const open = async (offset: number) => Readable.from([layerBytes.subarray(offset)])
    const blob = { descriptor: layer, open, mountFrom: 'base' }
    const pushed = clientFor(server.host).pushBlob(ctx, parseImageReference(`${server.host}/app`), blob, {
      auth: alice,
    })
    assert.equal(await pushed, 'uploaded')
    const post = `POST /v2/app/blobs/uploads/?mount=${encodeURIComponent(layer.digest)}&from=base`
    assert.deepEqual(
      server.seen.filter((line) => !line.includes('/token')),
      [
        `HEAD /v2/app/blobs/${layer.digest}`,
        `HEAD /v2/app/blobs/${layer.digest} Bearer reading`,
        `${post} Bearer reading`,
        `${post} Bearer writing`,
      ],
    )
    assert.deepEqual(storage.seen, [`PUT /put?signed=1&digest=${encodeURIComponent(layer.digest)}`])
  })

  test('and passwords appear in no log', async () => {
    const lines: string[] = []
    const context = { ...ctx, log: jsonLogger('debug', (line) => lines.push(line)) }
    await using server = await serve(tokenServer({ token: 't0ken' }))
    const client = clientFor(server.host, { mirrors: ['127.0.0.1:1'] })
    await client.resolve(context, parseImageReference(`${server.host}/app`), { auth: alice, platform })
    assert.match(lines.join(''), /registry mirror failed/)
    assert.doesNotMatch(lines.join(''), /t0ken|wonderland|d29uZGVybGFuZA/)
  })
})

describe('redirects', () => {
  const basicOnly =
    (next: Answer): Answer =>
    (request, response) => {
      if (request.headers.authorization === undefined)
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
      else next(request, response)
    }

  test('to another host carry the range but not the credentials', async () => {
    const ranges: (string | undefined)[] = []
    await using storage = await serve((request, response) => {
      ranges.push(request.headers.range)
      sendLayer(request, response)
    }, '127.0.0.2')
    await using server = await serve(
      basicOnly((_request, response) => response.writeHead(307, { location: `http://${storage.host}/signed` }).end()),
    )
    const ref = parseImageReference(`${server.host}/app`)
    const stream = await clientFor(server.host).fetchBlob(ctx, ref, layer, { auth: alice, offset: 7 })
    assert.deepEqual(Buffer.concat(await Array.fromAsync(stream)), layerBytes.subarray(7))
    assert.deepEqual(storage.seen, ['GET /signed'])
    assert.deepEqual(ranges, ['bytes=7-'])
  })

  test('within a host keep them', async () => {
    await using server = await serve(
      basicOnly((request, response) =>
        request.url === '/moved' ? sendLayer(request, response) : response.writeHead(302, { location: '/moved' }).end(),
      ),
    )
    const ref = parseImageReference(`${server.host}/app`)
    await Array.fromAsync(await clientFor(server.host).fetchBlob(ctx, ref, layer, { auth: alice }))
    assert.match(server.seen.at(-1)!, /^GET \/moved Basic/)
  })

  test('do not make a stranger who asks for a login get one', async () => {
    await using stranger = await serve(basicOnly(sendLayer), '127.0.0.2')
    await using server = await serve(
      basicOnly((_request, response) => response.writeHead(307, { location: `http://${stranger.host}/` }).end()),
    )
    await assert.rejects(resolveFrom(server.host, { auth: alice }), failsWith('unauthenticated', /./))
    assert.deepEqual(stranger.seen, ['GET /'])
  })

  test('end somewhere, and not without TLS', async () => {
    await using loop = await serve((_request, response) => response.writeHead(307, { location: '/again' }).end())
    await assert.rejects(resolveFrom(loop.host), failsWith('failed_precondition', /more than 5 times/))
    assert.equal(loop.seen.length, 6)
    const directory = await mkdtemp(join(tmpdir(), 'certificate-'))
    try {
      const certificate = await makeCertificate(directory)
      await using server = await serve(
        (_request, response) => response.writeHead(307, { location: 'http://storage.example/' }).end(),
        '127.0.0.1',
        certificate,
      )
      const config = { caFile: certificate.ca }
      await assert.rejects(resolveFrom(server.host, { config }), failsWith('failed_precondition', /to plain http/))
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})

describe('downloads', () => {
  /** Breaks off after a part, `times` times. */
  function breaking(times: number, next: Answer): Answer {
    let left = times
    return (request, response) => {
      if (left-- <= 0) return next(request, response)
      const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
      if (start > 0) response.writeHead(206, { 'content-range': `bytes ${start}-${layer.size - 1}/${layer.size}` })
      response.write(layerBytes.subarray(start, start + 50_000), () => response.socket!.resetAndDestroy())
    }
  }

  test('that break off are taken up where they were', async () => {
    const ranges: (string | undefined)[] = []
    const answer = breaking(4, sendLayer)
    await using server = await serve((request, response) => {
      ranges.push(request.headers.range)
      answer(request, response)
    })
    assert.deepEqual(await fetchLayer(server.host), layerBytes)
    assert.ok(ranges.length > 2 && ranges.slice(1).every((range) => /^bytes=\d+-$/.test(range!)))
  })

  test('that stall are taken up where they were', async () => {
    let isFirst = true
    await using server = await serve((request, response) => {
      if (!isFirst) return sendLayer(request, response)
      isFirst = false
      response.write(layerBytes.subarray(0, 1000))
    })
    assert.deepEqual(await fetchLayer(server.host, 0, ctx, impatient), layerBytes)
    assert.equal(server.seen.length, 2)
  })

  test('wait for their reader', async () => {
    await using server = await serve(sendLayer)
    const stream = await clientFor(server.host, {}, impatient).fetchBlob(
      ctx,
      parseImageReference(`${server.host}/app`),
      layer,
    )
    const chunks: Uint8Array[] = []
    for await (const chunk of stream) {
      chunks.push(chunk)
      if (chunks.length === 1) await sleep(3 * impatient.idleTimeoutMs)
    }
    assert.deepEqual(Buffer.concat(chunks), layerBytes)
    assert.equal(server.seen.length, 1)
  })

  test('go on from the start where a range is ignored', async () => {
    const whole: Answer = (_request, response) => response.end(layerBytes)
    await using server = await serve(breaking(1, whole))
    assert.deepEqual(await fetchLayer(server.host), layerBytes)
  })

  test('that were begun elsewhere say that the server cannot continue them', async () => {
    const answers: readonly Answer[] = [
      (_request, response) => response.end(layerBytes),
      (_request, response) => response.writeHead(416).end(),
      (_request, response) => response.writeHead(206, { 'content-range': `bytes 0-9/${layer.size}` }).end('0123456789'),
      (_request, response) => response.writeHead(206).end(layerBytes.subarray(5)),
    ]
    for (const answer of answers) {
      await using server = await serve(answer)
      await assert.rejects(fetchLayer(server.host, 5), failsWith('unimplemented', /from byte 5 on/))
    }
  })

  test('that bring nothing are given up', async () => {
    await using server = await serve((request) => request.socket.resetAndDestroy())
    await assert.rejects(fetchLayer(server.host), failsWith('unavailable', /connection to registry/))
    assert.equal(server.seen.length, limits.tries)
    await using empty = await serve((_request, response) => response.end())
    await assert.rejects(fetchLayer(empty.host), failsWith('invalid_argument', /0 bytes for blob/))
  })

  test('of a wrong size are refused', async () => {
    await using longer = await serve((_request, response) =>
      response.end(Buffer.concat([layerBytes, Buffer.from('x')])),
    )
    await assert.rejects(fetchLayer(longer.host), failsWith('invalid_argument', /the manifest says/))
    await using unannounced = await serve((_request, response) => {
      response.write(layerBytes)
      response.end('more')
    })
    await assert.rejects(fetchLayer(unannounced.host), failsWith('invalid_argument', /more than the/))
  })

  test('end with their context, and so does the connection', async () => {
    const closed = Promise.withResolvers<void>()
    await using server = await serve((request, response) => {
      request.socket.once('close', () => closed.resolve())
      response.write(layerBytes.subarray(0, 1000))
    })
    const abort = new AbortController()
    const context = { ...ctx, signal: abort.signal }
    const stream = await clientFor(server.host).fetchBlob(context, parseImageReference(`${server.host}/app`), layer)
    const reading = (async () => {
      for await (const _chunk of stream) abort.abort()
    })()
    await assert.rejects(reading, failsWith('cancelled', /./))
    await closed.promise
    await assert.rejects(fetchLayer(server.host, 0, context), failsWith('cancelled', /./))
  })

  test('that are not read to the end give their connection up', async () => {
    const closed = Promise.withResolvers<void>()
    await using server = await serve((request, response) => {
      request.socket.once('close', () => closed.resolve())
      response.write(layerBytes.subarray(0, 1000))
    })
    for await (const _chunk of await clientFor(server.host).fetchBlob(
      ctx,
      parseImageReference(`${server.host}/app`),
      layer,
    )) {
      break
    }
    await closed.promise
  })
})

describe('servers in trouble', () => {
  test('are asked again', async () => {
    for (const status of [429, 500, 502, 503, 504]) {
      let left = 2
      await using server = await serve((_request, response) => {
        if (left-- > 0) response.writeHead(status, { 'retry-after': '0' }).end()
        else sendManifest(response)
      })
      assert.deepEqual((await resolveFrom(server.host)).target, image.target)
    }
  })

  test('are left alone if they stay so, or ask for it', async () => {
    await using busy = await serve((_request, response) => response.writeHead(429).end())
    await assert.rejects(resolveFrom(busy.host), failsWith('resource_exhausted', /too many requests/))
    assert.equal(busy.seen.length, limits.tries)
    await using later = await serve((_request, response) => response.writeHead(503, { 'retry-after': '3600' }).end())
    await assert.rejects(resolveFrom(later.host), failsWith('unavailable', /try again in 3600 s/))
    assert.equal(later.seen.length, 1)
    await using silent = await serve(() => {})
    await assert.rejects(
      resolveFrom(silent.host, {}, impatient),
      failsWith('unavailable', /does not answer: no answer within 1 s/),
    )
    await assert.rejects(resolveFrom('127.0.0.1:1'), failsWith('unavailable', /refuses connections/))
    await using notHttp = await tcpServer('SSH-2.0-OpenSSH_9.2\r\n')
    await assert.rejects(resolveFrom(notHttp.host), failsWith('unavailable', /connection to registry/))
  })

  test('say why they refuse, in one line', async () => {
    const body = JSON.stringify({ errors: [{ code: 'UNSUPPORTED', message: 'not\n\u001b[31m here' }] })
    await using server = await serve((_request, response) => response.writeHead(405).end(body))
    await assert.rejects(resolveFrom(server.host), failsWith('unavailable', /says: UNSUPPORTED: not \[31m here$/))
    await using page = await serve((_request, response) =>
      response.setHeader('content-type', 'text/html').end('<html>'),
    )
    await assert.rejects(resolveFrom(page.host), failsWith('invalid_argument', /not JSON/))
  })

  test('cannot pass off a manifest that is damaged or too large', async () => {
    const wrong = `sha256:${'0'.repeat(64)}`
    await using damaged = await serve((_request, response) => {
      response.setHeader('docker-content-digest', wrong)
      sendManifest(response)
    })
    await assert.rejects(resolveFrom(damaged.host), failsWith('invalid_argument', /sent a manifest with the digest/))
    await using other = await serve((_request, response) => sendManifest(response))
    const ref = parseImageReference(`${other.host}/app@${wrong}`)
    await assert.rejects(
      clientFor(other.host).resolve(ctx, ref, { platform }),
      failsWith('invalid_argument', /sent a manifest with the digest/),
    )
    const big = Buffer.alloc(1024 * 1024, ' ')
    await using large = await serve((_request, response) => {
      for (let part = 0; part < 5; part++) response.write(big)
      response.end()
    })
    await assert.rejects(resolveFrom(large.host), failsWith('invalid_argument', /larger than 4194304 bytes/))
  })
})

test('a mirror does not get the credentials of the registry', async () => {
  await using mirror = await serve((_request, response) =>
    response.writeHead(401, { 'www-authenticate': 'Basic' }).end(),
  )
  await using server = await serve((request, response) => {
    if (request.headers.authorization) sendManifest(response)
    else response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
  })
  const config = { mirrors: [`http://${mirror.host}`], auth: alice }
  assert.deepEqual((await resolveFrom(server.host, { config })).target, image.target)
  assert.deepEqual((await resolveFrom(server.host, { auth: alice, config })).target, image.target)
  assert.deepEqual(mirror.seen, ['GET /v2/app/manifests/latest', 'GET /v2/app/manifests/latest'])
})

test('a mirror that does not answer is not waited for again and again', async () => {
  await using mirror = await serve(() => {})
  await using server = await serve((request, response) =>
    isManifest(request) ? sendManifest(response) : sendLayer(request, response),
  )
  const client = clientFor(server.host, { mirrors: [`http://${mirror.host}`] }, impatient)
  const ref = parseImageReference(`${server.host}/app`)
  await client.resolve(ctx, ref, { platform })
  const asked = mirror.seen.length
  await Array.fromAsync(await client.fetchBlob(ctx, ref, layer))
  assert.equal(mirror.seen.length, asked)
})

test('what is not on this machine is reached through the proxy of the environment', async () => {
  await using proxy = await serve((_request, response) => sendManifest(response))
  const before = process.env['HTTP_PROXY']
  process.env['HTTP_PROXY'] = `http://${proxy.host}`
  try {
    const config = { mirrors: ['http://mirror.example'] }
    assert.deepEqual((await resolveFrom('registry.example', { config })).target, image.target)
  } finally {
    if (before === undefined) delete process.env['HTTP_PROXY']
    else process.env['HTTP_PROXY'] = before
  }
  assert.deepEqual(proxy.seen, ['GET http://mirror.example/v2/app/manifests/latest'])
})

async function tcpServer(greeting: string): Promise<{ host: string } & AsyncDisposable> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {})
    socket.resume()
    socket.end(greeting)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    },
  }
}
