/** The values of all items, by key. */
export function grouped<T, V>(
  items: readonly T[],
  entriesOf: (item: T) => readonly (readonly [string, V])[],
): Map<string, V[]> {
  const groups = new Map<string, V[]>()
  for (const [key, value] of items.flatMap(entriesOf)) {
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [value])
    else group.push(value)
  }
  return groups
}
