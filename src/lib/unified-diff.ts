import { lineChanges } from './line-changes.ts'

interface DiffOptions {
  /** What the two texts are called in the head of the diff. */
  readonly from: string
  readonly to: string
  /** How many unchanged lines are shown around a change. */
  readonly context?: number
}

interface Line {
  readonly sign: ' ' | '-' | '+'
  readonly text: string
}

/**
 * The difference of two texts in the unified format of POSIX `diff -U`, which `patch` takes; empty if they are equal.
 * It is as short as can be; where a change could stand in several places, it starts at the least indented line.
 */
export function unifiedDiff(before: string, after: string, { from, to, context = 3 }: DiffOptions): string {
  if (before === after) return ''
  const lines = settle(align(linesOf(before), linesOf(after)))
  return [`--- ${from}\n+++ ${to}\n`, ...printHunks(lines, hunksOf(lines, context))].join('')
}

/** With their ends of line. A last line that has none is told from one that has by what diff writes behind it. */
function linesOf(text: string): string[] {
  const lines = text.split('\n')
  const last = lines.pop()!
  const ended = lines.map((line) => `${line}\n`)
  return last === '' ? ended : [...ended, `${last}\n\\ No newline at end of file\n`]
}

function align(before: readonly string[], after: readonly string[]): Line[] {
  const { deleted, inserted } = lineChanges(before, after)
  const lines: Line[] = []
  let a = 0
  let b = 0
  while (a < before.length || b < after.length) {
    if (a < before.length && deleted[a]) lines.push({ sign: '-', text: before[a++]! })
    else if (b < after.length && inserted[b]) lines.push({ sign: '+', text: after[b++]! })
    else {
      lines.push({ sign: ' ', text: after[b++]! })
      a++
    }
  }
  return lines
}

/** How far a change is moved at most, in lines. */
const MAX_SHIFT = 100

/** The same change where it reads best: a block that is equal at both ends may begin at any of several lines. */
function settle(lines: readonly Line[]): Line[] {
  const texts = lines.map(({ text }) => text)
  const signs = lines.map(({ sign }) => sign)
  for (let start = 0, end = 0; start < lines.length; start = end) {
    const sign = signs[start]!
    end = start + 1
    if (sign === ' ') continue
    while (signs[end] === sign) end++
    // Lines in place of others stay where those were.
    if ((signs[start - 1] ?? ' ') !== ' ' || (signs[end] ?? ' ') !== ' ') continue
    const shift = bestShift(texts, signs, start, end)
    signs.fill(' ', start, end).fill(sign, start + shift, end + shift)
    end += Math.max(0, shift)
  }
  return texts.map((text, index) => ({ text, sign: signs[index]! }))
}

function bestShift(texts: readonly string[], signs: readonly Line['sign'][], start: number, end: number): number {
  let up = 0
  while (up < MAX_SHIFT && signs[start - up - 1] === ' ' && texts[start - up - 1] === texts[end - up - 1]) up++
  let down = 0
  while (down < MAX_SHIFT && signs[end + down] === ' ' && texts[end + down] === texts[start + down]) down++
  let best = down
  for (let shift = down - 1; shift >= -up; shift--) {
    if (indentOf(texts[start + shift]!) < indentOf(texts[start + best]!)) best = shift
  }
  return best
}

/** A line of spaces alone is no place to begin. */
function indentOf(line: string): number {
  const indent = line.search(/\S/)
  return indent === -1 ? Infinity : indent
}

interface Hunk {
  readonly start: number
  readonly end: number
}

function hunksOf(lines: readonly Line[], context: number): Hunk[] {
  const hunks: Hunk[] = []
  for (const [index, { sign }] of lines.entries()) {
    if (sign === ' ') continue
    const end = Math.min(lines.length, index + context + 1)
    const last = hunks.at(-1)
    if (last !== undefined && index - context <= last.end) hunks[hunks.length - 1] = { start: last.start, end }
    else hunks.push({ start: Math.max(0, index - context), end })
  }
  return hunks
}

function printHunks(lines: readonly Line[], hunks: readonly Hunk[]): string[] {
  let [a, b, passed] = [0, 0, 0]
  return hunks.map(({ start, end }) => {
    // Between hunks nothing differs.
    a += start - passed
    b += start - passed
    passed = end
    const shown = lines.slice(start, end)
    const aCount = shown.filter(({ sign }) => sign !== '+').length
    const bCount = shown.filter(({ sign }) => sign !== '-').length
    const head = `@@ -${range(a, aCount)} +${range(b, bCount)} @@\n`
    a += aCount
    b += bCount
    return head + shown.map(({ sign, text }) => sign + text).join('')
  })
}

/** POSIX: from which line on, and how many if not one. Of none: behind which line. */
function range(passed: number, count: number): string {
  if (count === 1) return `${passed + 1}`
  return `${count === 0 ? passed : passed + 1},${count}`
}
