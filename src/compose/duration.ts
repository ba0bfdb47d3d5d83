const UNITS: Readonly<Record<string, number>> = {
  ...{ w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 1e-3, µs: 1e-3, ns: 1e-6 },
}
const PART = /(\d{1,15}(?:\.\d{1,9})?)(w|d|h|ms|m|s|us|µs|ns)/y

/** ms of `1m30s`, `1.5h`, `500ms` (the specification's durations); undefined for what is none. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0
  let ms = 0
  PART.lastIndex = 0
  for (let at = 0; at < text.length; at = PART.lastIndex) {
    const match = PART.exec(text)
    if (match === null) return undefined
    ms += Number(match[1]) * UNITS[match[2]!]!
  }
  return text === '' || !Number.isSafeInteger(Math.round(ms)) ? undefined : Math.round(ms)
}
