/** What counts of the answer to a GET. */
export interface HttpAnswer {
  readonly status: number
  /** Empty if there is none. */
  readonly location: string
}

/** Of all answers that come before the answer, as `103 Early Hints`, with its own. */
const MAX_HEADER_BYTES = 32 * 1024
/** What is waited for of a body, as kubelet does; the rest is left. */
const MAX_BODY_BYTES = 10 * 1024

const STATUS_LINE = /^HTTP\/1\.[01] [1-9]\d\d[ \r\n]/
/** Status line and header lines (RFC 9112, sections 2.1 and 4); as it allows, single line feeds will do. */
const HEAD = /^HTTP\/1\.[01] (\d{3})[^\n]*\n((?:[^\r\n][^\n]*\n)*)\r?\n/
const WITHOUT_BODY = [101, 204, 304]

/**
 * Reads what a server, which is not to be trusted, has said so far, a character a byte. Undefined: more is to come.
 * @throws {Error} if that is no answer, has no end, or was cut off
 */
export function readAnswer(text: string, hasEnded: boolean): HttpAnswer | undefined {
  for (let at = 0; ; ) {
    const head = HEAD.exec(text.slice(at, MAX_HEADER_BYTES))
    if (head === null) {
      assertHeadMayCome(text, at, hasEnded)
      return undefined
    }
    const [whole, digits, lines = ''] = head
    const status = Number(digits)
    at += whole.length
    if (status < 200 && status !== 101) continue
    const isWhole = WITHOUT_BODY.includes(status) || isBodyWhole(text.slice(at), lines, hasEnded)
    return isWhole ? { status, location: headerIn(lines, 'location') } : undefined
  }
}

function assertHeadMayCome(text: string, at: number, hasEnded: boolean): void {
  const begun = text.slice(at, MAX_HEADER_BYTES)
  if (begun.includes('\n') ? !STATUS_LINE.test(begun) : !begun.startsWith('HTTP/1.'.slice(0, begun.length))) {
    throw new Error(`what it says is not HTTP/1: ${JSON.stringify(begun.slice(0, 20))}`)
  }
  if (text.length >= MAX_HEADER_BYTES) throw new Error(`its headers have more than ${MAX_HEADER_BYTES / 1024} KiB`)
  if (hasEnded) throw new Error('it closed the connection without an answer')
}

function isBodyWhole(body: string, headerLines: string, hasEnded: boolean): boolean {
  if (body.length >= MAX_BODY_BYTES) return true
  const length = headerIn(headerLines, 'content-length')
  const isChunked = /\bchunked$/i.test(headerIn(headerLines, 'transfer-encoding'))
  const isWhole = isChunked ? hasLastChunk(body) : length === '' ? hasEnded : body.length >= Number(length)
  if (!isWhole && hasEnded) throw new Error('it closed the connection before the end of its answer')
  return isWhole
}

/** RFC 9112, section 7.1 */
function hasLastChunk(body: string): boolean {
  const sizeLine = /([\da-f]+)[^\n]*\n/iy
  for (let match = sizeLine.exec(body); match !== null; match = sizeLine.exec(body)) {
    const sizeBytes = Number.parseInt(match[1]!, 16)
    if (sizeBytes === 0) return /^(?:[^\r\n][^\n]*\n)*\r?\n/.test(body.slice(sizeLine.lastIndex))
    sizeLine.lastIndex += sizeBytes + '\r\n'.length
  }
  return false
}

function headerIn(lines: string, name: string): string {
  return new RegExp(`^${name}:(.*)`, 'im').exec(lines)?.[1]?.trim() ?? ''
}
