import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { Ctx } from '../lib/ctx.ts'
import { hasCode, StatusError } from '../lib/errors.ts'
import { silentLogger } from '../lib/log.ts'
import { type Digest, digestHex } from '../model/digest.ts'
import { type Content, openContent } from './index.ts'

const ctx: Ctx = { signal: new AbortController().signal, log: silentLogger }
const blob = randomBytes(3_000_000)
const digest = `sha256:${createHash('sha256').update(blob).digest('hex')}` as Digest
const wanted = { digest, size: blob.length }

async function* chunks(bytes: Buffer, size = 65_536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

describe('content', () => {
  let dir: string
  let content: Content

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'condenser-content-'))
    content = await openContent(dir)
  })
  afterEach(() => rm(dir, { recursive: true }))

  const leftovers = async () => [
    ...(await readdir(join(dir, 'ingest'))),
    ...(await readdir(join(dir, 'blobs', 'sha256'))),
  ]

  test('takes bytes in whose digest nobody knows yet; the claim comes first', async () => {
    const claims: [string, boolean][] = []
    const received = await content.receive(ctx, chunks(blob), (found) => {
      claims.push([found, readdirSync(join(dir, 'blobs', 'sha256')).length > 0])
    })
    assert.deepEqual([received, claims], [wanted, [[digest, false]]])
    assert.deepEqual(await content.read(digest, blob.length), blob)
    const rest = Buffer.concat(await Array.fromAsync(content.stream(digest, 2_000_000)))
    assert.deepEqual(rest, blob.subarray(2_000_000))
  })

  test('of what breaks off or is killed while it is received nothing is left', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield blob
      throw new Error('it broke')
    }
    await assert.rejects(content.receive(ctx, broken(), assert.fail), /it broke/)
    assert.deepEqual(await leftovers(), [])
    await writeFile(join(dir, 'ingest', 'unnamed-of-one-that-was-killed'), 'x')
    await openContent(dir)
    assert.deepEqual(await leftovers(), [])
  })

  test('a blob that is not here is not found when it is read', async () => {
    await assert.rejects(Array.fromAsync(content.stream(digest)), (error) => hasCode(error, 'not_found'))
  })

  test('takes a blob in, reads, lists and removes it', async () => {
    const progress: number[] = []
    await content.ingest(
      ctx,
      wanted,
      async () => chunks(blob),
      (bytes) => progress.push(bytes),
    )
    assert.deepEqual(await content.read(digest, blob.length), blob)
    assert.equal(progress.at(-1), blob.length)
    assert.deepEqual(await Array.fromAsync(content.list()), [digest])
    assert.deepEqual(await content.listIngests(), [])
    await content.ingest(ctx, wanted, () => assert.fail('a blob that is here is not fetched'))
    await content.remove(digest)
    await content.remove(digest)
    assert.equal(await content.has(digest), false)
  })

  test('other bytes fail it and leave nothing', async () => {
    const wrong = Buffer.from(blob)
    wrong[100]! ^= 1
    await assert.rejects(
      content.ingest(ctx, wanted, async () => chunks(wrong)),
      { code: 'invalid_argument' },
    )
    assert.deepEqual(await leftovers(), [])
  })

  test('more bytes than announced fail it and leave nothing', async () => {
    const longer = Buffer.concat([blob, Buffer.alloc(1)])
    await assert.rejects(
      content.ingest(ctx, wanted, async () => chunks(longer)),
      { code: 'invalid_argument' },
    )
    assert.deepEqual(await leftovers(), [])
  })

  test('a stream that breaks off is continued by the next try', async () => {
    await assert.rejects(
      content.ingest(ctx, wanted, async () => chunks(blob.subarray(0, 2_000_000))),
      { code: 'unavailable' },
    )
    async function* broken() {
      yield blob.subarray(2_000_000, 2_500_000)
      throw new Error('connection reset')
    }
    await assert.rejects(
      content.ingest(ctx, wanted, async (offset) => {
        assert.equal(offset, 2_000_000)
        return broken()
      }),
      /connection reset/,
    )
    assert.deepEqual(await content.listIngests(), [digest])
    let offset = 0
    await content.ingest(ctx, wanted, async (from) => {
      offset = from
      return chunks(blob.subarray(from))
    })
    assert.equal(offset, 2_500_000)
    assert.deepEqual(await content.read(digest, blob.length), blob)
  })

  test('a source that cannot continue is asked for all of it', async () => {
    await writeFile(join(dir, 'ingest', digestHex(digest)), blob.subarray(0, 1000))
    await content.ingest(ctx, wanted, async (offset) => {
      if (offset > 0) throw new StatusError('unimplemented', 'no ranges')
      return chunks(blob)
    })
    assert.deepEqual(await content.read(digest, blob.length), blob)
  })

  test('a damaged partial file is not fatal', async () => {
    await writeFile(join(dir, 'ingest', digestHex(digest)), Buffer.alloc(500_000))
    const offsets: number[] = []
    await content.ingest(ctx, wanted, async (offset) => {
      offsets.push(offset)
      return chunks(blob.subarray(offset))
    })
    assert.deepEqual(offsets, [500_000, 0])
    assert.deepEqual(await content.read(digest, blob.length), blob)
  })

  test('a whole partial file needs no fetch', async () => {
    await writeFile(join(dir, 'ingest', digestHex(digest)), blob)
    await content.ingest(ctx, wanted, () => assert.fail('nothing to fetch'))
    assert.equal(await content.size(digest), blob.length)
  })

  test('two that want the same blob fetch it once', async () => {
    let fetched = 0
    const fetch = async () => {
      fetched++
      return chunks(blob)
    }
    await Promise.all([content.ingest(ctx, wanted, fetch), content.ingest(ctx, wanted, fetch)])
    assert.equal(fetched, 1)
  })

  test('reads are bounded and verified', async () => {
    const { digest: small } = await content.write(ctx, Buffer.from('{}'))
    assert.equal(`${await content.read(small, 2)}`, '{}')
    await assert.rejects(content.read(small, 1), { code: 'resource_exhausted' })
    await assert.rejects(content.read(digest, 10), { code: 'not_found' })
    await writeFile(content.path(small), '{!')
    await assert.rejects(content.read(small, 2), { code: 'internal' })
  })

  test('an empty blob', async () => {
    const { digest: empty, size } = await content.write(ctx, Buffer.alloc(0))
    assert.equal(size, 0)
    assert.equal(await content.size(empty), 0)
  })
})
