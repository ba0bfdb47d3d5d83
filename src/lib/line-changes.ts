/** The lines that two texts do not share: `deleted` of the first, `inserted` of the second. The others pair up in order. */
export interface LineChanges {
  readonly deleted: readonly boolean[]
  readonly inserted: readonly boolean[]
}

/**
 * As few changes as lead from one list of lines to the other (Myers, "An O(ND) Difference Algorithm and Its
 * Variations", 1986, in linear space). Where more than 8,192 in one place would be needed, all of that place is
 * replaced: the work is bounded, whatever the texts are.
 */
export function lineChanges(before: readonly string[], after: readonly string[]): LineChanges {
  const ids = new Map<string, number>()
  const idOf = (line: string) => ids.getOrInsert(line, ids.size)
  const search = new Search(Int32Array.from(before, idOf), Int32Array.from(after, idOf))
  search.compare(0, before.length, 0, after.length)
  return search
}

/** Of edits looked for from either end. */
const MAX_EDITS = 4_096

/** Holds the work space of one comparison. `a` and `b` are the lines, by number. */
class Search implements LineChanges {
  readonly deleted: boolean[]
  readonly inserted: boolean[]
  readonly #a: Int32Array
  readonly #b: Int32Array
  readonly #origin: number
  // By diagonal k = x - y, counted from #origin: how far one gets along it from the start, and from the end.
  readonly #forward: Int32Array
  readonly #backward: Int32Array

  constructor(a: Int32Array, b: Int32Array) {
    this.#a = a
    this.#b = b
    this.deleted = new Array(a.length).fill(false)
    this.inserted = new Array(b.length).fill(false)
    this.#origin = Math.min(a.length + b.length, MAX_EDITS) + 1
    this.#forward = new Int32Array(2 * this.#origin + 1)
    this.#backward = new Int32Array(2 * this.#origin + 1)
  }

  /** Marks what differs between lines `aFrom` to `aTo` of the one and `bFrom` to `bTo` of the other. */
  compare(aFrom: number, aTo: number, bFrom: number, bTo: number): void {
    const a = this.#a
    const b = this.#b
    while (aFrom < aTo && bFrom < bTo && a[aFrom] === b[bFrom]) {
      aFrom++
      bFrom++
    }
    while (aFrom < aTo && bFrom < bTo && a[aTo - 1] === b[bTo - 1]) {
      aTo--
      bTo--
    }
    const middle = aFrom === aTo || bFrom === bTo ? undefined : this.#middle(aFrom, aTo, bFrom, bTo)
    if (middle === undefined) {
      this.deleted.fill(true, aFrom, aTo)
      this.inserted.fill(true, bFrom, bTo)
      return
    }
    this.compare(aFrom, middle.a, bFrom, middle.b)
    this.compare(middle.a, aTo, middle.b, bTo)
  }

  /** A place half way on a shortest path: where the searches from both ends meet. Undefined if it is too far. */
  #middle(
    aFrom: number,
    aTo: number,
    bFrom: number,
    bTo: number,
  ): { readonly a: number; readonly b: number } | undefined {
    const [a, b, origin, forward, backward] = [this.#a, this.#b, this.#origin, this.#forward, this.#backward]
    const width = aTo - aFrom
    const height = bTo - bFrom
    const delta = width - height
    const odd = delta % 2 !== 0
    forward[origin + 1] = 0
    backward[origin + 1] = 0
    for (let edits = 0; edits <= MAX_EDITS; edits++) {
      // Diagonals beyond the edges of the grid are left out.
      const first = -edits + 2 * Math.max(0, edits - height)
      const last = edits - 2 * Math.max(0, edits - width)
      for (let k = first; k <= last; k += 2) {
        let x = step(forward, origin + k, k, edits)
        while (x < width && x - k < height && a[aFrom + x] === b[bFrom + x - k]) x++
        forward[origin + k] = x
        const meets = odd && Math.abs(delta - k) < edits && x + backward[origin + delta - k]! >= width
        if (meets) return { a: aFrom + x, b: bFrom + x - k }
      }
      for (let k = first; k <= last; k += 2) {
        let x = step(backward, origin + k, k, edits)
        while (x < width && x - k < height && a[aTo - 1 - x] === b[bTo - 1 - (x - k)]) x++
        backward[origin + k] = x
        const meets = !odd && Math.abs(delta - k) <= edits && x + forward[origin + delta - k]! >= width
        if (meets) return { a: aTo - x, b: bTo - (x - k) }
      }
    }
    return undefined
  }
}

/** One edit on: down from the diagonal above, or right from the one below, whichever got further. */
function step(reached: Int32Array, index: number, k: number, edits: number): number {
  const above = reached[index + 1]!
  const below = reached[index - 1]!
  return k === -edits || (k !== edits && below < above) ? above : below + 1
}
