/** One scheme that a server offers in `WWW-Authenticate`. */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y
const SPACE = /[ \t]*/y
const QUOTED = /"((?:[^"\\]|\\.)*)"/y
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y

/**
 * Reads `WWW-Authenticate` (RFC 9110, section 11.6.1): several challenges in one line, values quoted or not. Reading
 * stops at what is malformed; what came before it counts.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = []
  let position = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position
    const match = pattern.exec(header)
    if (match !== null) position = pattern.lastIndex
    return match
  }
  while (position < header.length) {
    take(SPACE)
    if (header[position] === ',') {
      position++
      continue
    }
    const word = take(TOKEN)?.[0]
    if (word === undefined) break
    take(SPACE)
    if (header[position] !== '=') {
      challenges.push({ scheme: word.toLowerCase(), parameters: Object.create(null) })
      if (!startsParameter(header, position)) take(TOKEN68)
      continue
    }
    position++
    take(SPACE)
    const quoted = take(QUOTED)
    const value = quoted === null ? take(TOKEN)?.[0] : quoted[1]!.replaceAll(/\\(.)/g, '$1')
    const current = challenges.at(-1)
    if (value === undefined || current === undefined) break
    current.parameters[word.toLowerCase()] ??= value
  }
  return challenges
}

/** Whether `name=value` comes next, rather than the token68 that some schemes have instead. */
function startsParameter(header: string, position: number): boolean {
  return /^[^\s,="]+[ \t]*=[ \t]*[^\s=,]/.test(header.slice(position, position + 200))
}
