import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { silentLogger } from '../lib/log.ts'
import { readLogTail } from './log-reader.ts'

const TIME = '2024-05-01T10:00:00.123456789+02:00'
const ctx = { signal: new AbortController().signal, log: silentLogger }

interface Written {
  stream: 'stdout' | 'stderr'
  partial: boolean
  text: string
}

let dir: string
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'log-reader-'))
})
after(() => rm(dir, { recursive: true }))

let count = 0
/** One file a list of records, the oldest first. */
async function writeLog(...files: Written[][]): Promise<string> {
  const file = join(dir, `log${count++}`)
  await Promise.all(
    files.map((records, i) => {
      const number = files.length - 1 - i
      const text = records
        .map(({ stream, partial, text }) => `${TIME} ${stream} ${partial ? 'P' : 'F'} ${text}\n`)
        .join('')
      return writeFile(number === 0 ? file : `${file}.${number}`, text)
    }),
  )
  return file
}

async function tail(file: string, tailLines: number): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of readLogTail(ctx, file, { tailLines })) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const out = (text: string, partial = false): Written => ({ stream: 'stdout', partial, text })
const err = (text: string, partial = false): Written => ({ stream: 'stderr', partial, text })

test('a log that is not there is empty', async () => {
  assert.equal(await tail(join(dir, 'none', 'log'), Number.POSITIVE_INFINITY), '')
  assert.equal(await tail(await writeLog([]), 10), '')
})

test('joins partial records, and leaves an unfinished line as it is', async () => {
  const file = await writeLog([out('a', true), out('b'), out(''), out('c', true), out('d', true)])
  assert.equal(await tail(file, Number.POSITIVE_INFINITY), 'ab\n\ncd')
  assert.equal(await tail(file, 1), 'cd')
  assert.equal(await tail(file, 2), '\ncd')
  assert.equal(await tail(file, 3), 'ab\n\ncd')
  assert.equal(await tail(file, 0), '')
})

test('a line is not torn by the other stream', async () => {
  const file = await writeLog([out('one '), out('a', true), err('x'), out('b')])
  assert.equal(await tail(file, Number.POSITIVE_INFINITY), 'one \nx\nab\n')
  assert.equal(await tail(file, 1), 'ab\n')
})

test('goes on over rotated files, also inside a line', async () => {
  const file = await writeLog([out('1'), out('2', true)], [out('2'), out('3')], [], [out('4')])
  assert.equal(await tail(file, Number.POSITIVE_INFINITY), '1\n22\n3\n4\n')
  assert.equal(await tail(file, 3), '22\n3\n4\n')
})

test('leaves out what is half written, and what is no record', async () => {
  const file = join(dir, 'half')
  await writeFile(file, `garbage\n${TIME} stdout F a\n\n${TIME} stdout F b\n${TIME} stdo`)
  assert.equal(await tail(file, Number.POSITIVE_INFINITY), 'a\nb\n')
  assert.equal(await tail(file, 1), 'b\n')
})

test('an endless line is handed on in parts', async () => {
  const file = await writeLog(Array.from({ length: 200 }, () => out('x'.repeat(8000), true)))
  let largest = 0
  let total = 0
  for await (const chunk of readLogTail(ctx, file, { tailLines: Number.POSITIVE_INFINITY })) {
    largest = Math.max(largest, chunk.length)
    total += chunk.length
  }
  assert.equal(total, 200 * 8000)
  assert.ok(largest < 400_000, `${largest}`)
})

test('a call that has ended stops', async () => {
  const file = await writeLog([out('a')])
  const ended = { ...ctx, signal: AbortSignal.abort() }
  await assert.rejects(Array.fromAsync(readLogTail(ended, file, { tailLines: 1 })), { code: 'cancelled' })
})

/** The lines of a log by their definition: they end with an F record, or with the last of a stream. */
function linesOf(records: readonly Written[]): { text: string; end: number; complete: boolean }[] {
  const lines: { text: string; end: number; complete: boolean }[] = []
  const open = new Map<string, { text: string; end: number }>()
  records.forEach(({ stream, partial, text }, end) => {
    const line = { text: (open.get(stream)?.text ?? '') + text, end }
    open.set(stream, line)
    if (partial) return
    open.delete(stream)
    lines.push({ ...line, text: `${line.text}\n`, complete: true })
  })
  return [...lines, ...[...open.values()].map((line) => ({ ...line, complete: false }))]
}

test('any tail of any log is what the definition says', async () => {
  const text = fc.oneof(
    fc.constantFrom('', 'a', 'hello world'),
    fc.integer({ min: 0, max: 8000 }).map((n) => 'z'.repeat(n)),
  )
  const record = fc.record({
    stream: fc.constantFrom('stdout' as const, 'stderr' as const),
    partial: fc.boolean(),
    text,
  })
  const files = fc.array(fc.array(record, { maxLength: 20 }), { minLength: 1, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(
      files,
      fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant(Number.POSITIVE_INFINITY)),
      async (written, n) => {
        const lines = linesOf(written.flat()).toSorted((a, b) => a.end - b.end)
        const wanted = n === 0 ? [] : lines.slice(-n)
        const inOrder = [...wanted.filter((line) => line.complete), ...wanted.filter((line) => !line.complete)]
        assert.equal(await tail(await writeLog(...written), n), inOrder.map((line) => line.text).join(''))
      },
    ),
    { numRuns: 200 },
  )
})
