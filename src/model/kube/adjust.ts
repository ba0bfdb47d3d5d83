type Changes<T> = { readonly [K in keyof T]?: (value: NonNullable<T[K]>) => T[K] }

/** The same object with some of its properties made anew, where they are there. */
export function adjust<T extends object>(object: T, changes: Changes<T>): T {
  const keys = Object.keys(changes) as (keyof T)[]
  const present = keys.filter((key) => object[key] !== undefined)
  return { ...object, ...Object.fromEntries(present.map((key) => [key, changes[key]!(object[key]!)])) }
}

/** Of a list: each entry made anew. */
export function each<T>(change: (item: T) => T): (list: readonly T[]) => readonly T[] {
  return (list) => list.map(change)
}
