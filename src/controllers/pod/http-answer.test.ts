import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { readAnswer } from './http-answer.ts'

const answer = (status: number, location = '') => ({ status, location })

describe('readAnswer()', () => {
  const whole: [string, string, number, string?][] = [
    ['of a length', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody', 200],
    ['of a length, more than that', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody and more', 200],
    ['without a body', 'HTTP/1.1 204 No Content\r\n\r\n', 204],
    ['without a reason', 'HTTP/1.0 503\r\ncontent-length:0\r\n\r\n', 503],
    ['with an empty reason', 'HTTP/1.1 404 \r\nCONTENT-LENGTH:  0  \r\n\r\n', 404],
    ['with single line feeds', 'HTTP/1.1 200 OK\nContent-Length: 1\n\n.', 200],
    [
      'in chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n3;a=b\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n',
      200,
    ],
    ['in no chunks, with a trailer', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n000\r\nA: b\r\n\r\n', 200],
    [
      'with a place',
      'HTTP/1.1 302 Found\r\nX-Location: no\r\nlocation:\t/a b \r\nContent-Length: 0\r\n\r\n',
      302,
      '/a b',
    ],
    ['after hints', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 304 Same\r\n\r\n', 304],
    ['of another protocol', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nanything', 101],
    ['as far as it is read', `HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n${'x'.repeat(10 * 1024)}`, 200],
  ]
  for (const [name, text, status, location] of whole) {
    test(`an answer ${name}`, () => assert.deepEqual(readAnswer(text, false), answer(status, location)))
    const least = text.replace(/( and more|anything)$/, '')
    test(`an answer ${name}: not a byte too early, and cut off if nothing more comes`, () => {
      for (let length = 0; length < least.length; length++) {
        assert.equal(readAnswer(least.slice(0, length), false), undefined, `after ${length} bytes`)
        assert.throws(() => readAnswer(least.slice(0, length), true), /closed the connection/)
      }
    })
  }

  test('an answer that ends with the connection', () => {
    const text = 'HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody'
    assert.equal(readAnswer(text, false), undefined)
    assert.deepEqual(readAnswer(text, true), answer(200))
  })

  const wrong: [string, string, RegExp][] = [
    ['another protocol', 'SSH-2.0-OpenSSH\r\n', /not HTTP\/1: "SSH-2/],
    ['another protocol, from its first byte', '\x16', /not HTTP\/1: "\\u0016"/],
    ['another version', 'HTTP/2 200\r\n', /not HTTP\/1/],
    ['no status', 'HTTP/1.1 OK\r\n\r\n', /not HTTP\/1/],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n', /not HTTP\/1/],
    ['headers without an end', `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(6000)}`, /more than 32 KiB/],
    ['a status line without an end', `HTTP/1.1 200 ${'K'.repeat(33_000)}`, /more than 32 KiB/],
    ['hints without an end', 'HTTP/1.1 100 C\r\n\r\n'.repeat(2000), /more than 32 KiB/],
    ['garbage after hints', 'HTTP/1.1 100 C\r\n\r\nmore', /not HTTP\/1: "more"/],
  ]
  for (const [name, text, message] of wrong) test(name, () => assert.throws(() => readAnswer(text, false), message))

  test('whatever comes, it is an answer, none yet, or an error; and a length that is none never ends', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('HTTP/1.1 200 OK\r\n', '\r\n', '\n', 'Content-Length: x\r\n', 'Transfer-Encoding: chunked\r\n'),
    )
    fc.assert(
      fc.property(fc.array(piece), fc.boolean(), (pieces, hasEnded) => {
        try {
          const { status } = readAnswer(pieces.join(''), hasEnded) ?? {}
          assert.ok(status === undefined || (status >= 100 && status < 1000))
        } catch (error) {
          assert.match((error as Error).message, /^(what it says|its headers|it closed)/)
        }
      }),
    )
    const text = 'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nbody'
    assert.equal(readAnswer(text, false), undefined)
    assert.throws(() => readAnswer(text, true), /before the end/)
  })
})
