/** Numbers that look random and are the same for the same seed (mulberry32). */
export interface Random {
  /** 0 to below `end`. */
  int(end: number): number
  chance(share: number): boolean
  pick<T>(list: readonly T[]): T
  /** One of its own, the same one for the same seed and name. */
  fork(name: string): Random
}

export function randomOf(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const int = (end: number) => Math.floor(next() * end)
  return {
    int,
    chance: (share) => next() < share,
    pick: (list) => list[int(list.length)]!,
    fork: (name) => randomOf([...name].reduce((sum, char) => Math.imul(sum, 31) + char.charCodeAt(0), seed)),
  }
}
