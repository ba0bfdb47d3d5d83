/**
 * Whether all of `text` is what `pattern` says: `*` is any run without a slash, `?` one character, the rest itself.
 * Takes time in proportion to the product of both lengths at most, whoever wrote the pattern.
 */
export function matchesGlob(text: string, pattern: string): boolean {
  let [at, position] = [0, 0]
  // Where the last star is, and up to where it has been taken to reach.
  let [star, reached] = [-1, 0]
  while (at < text.length) {
    if (pattern[position] === '*') {
      star = position++
      reached = at
    } else if (pattern[position] === text[at] || (pattern[position] === '?' && text[at] !== '/')) {
      position++
      at++
    } else if (star >= 0 && text[reached] !== '/') {
      position = star + 1
      at = ++reached
    } else return false
  }
  while (pattern[position] === '*') position++
  return position === pattern.length
}
