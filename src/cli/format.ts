/** `5 minutes ago`, as `docker ps` says it. `now` and `time` are ms. */
export function ago(time: number, now = Date.now()): string {
  return `${duration(Math.max(0, now - time))} ago`
}

/** `Less than a second`, `5 minutes`, `About an hour` ... (docker's go-units HumanDuration). */
export function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  if (seconds < 1) return 'Less than a second'
  if (seconds === 1) return '1 second'
  if (seconds < 60) return `${seconds} seconds`
  const minutes = Math.floor(seconds / 60)
  if (minutes === 1) return 'About a minute'
  if (minutes < 60) return `${minutes} minutes`
  const hours = Math.round(seconds / 3600)
  if (hours === 1) return 'About an hour'
  if (hours < 48) return `${hours} hours`
  if (hours < 24 * 14) return `${Math.floor(hours / 24)} days`
  if (hours < 24 * 60) return `${Math.floor(hours / 24 / 7)} weeks`
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`
  return `${Math.floor(hours / 24 / 365)} years`
}

/** Seconds of units, and until which length they are told with the next smaller one. */
const SHORT_UNITS = [
  { letter: 'y', seconds: 31_536_000, from: 63_072_000, withNext: 252_288_000 },
  { letter: 'd', seconds: 86_400, from: 172_800, withNext: 691_200 },
  { letter: 'h', seconds: 3600, from: 10_800, withNext: 28_800 },
  { letter: 'm', seconds: 60, from: 120, withNext: 600 },
] as const

/** `45s`, `5m30s`, `3h`, `2d4h` ...: what kubectl calls an age (apimachinery, HumanDuration). */
export function shortDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const index = SHORT_UNITS.findIndex(({ from }) => seconds >= from)
  if (index < 0) return `${seconds}s`
  const unit = SHORT_UNITS[index]!
  const next = SHORT_UNITS[index + 1] ?? { letter: 's', seconds: 1 }
  const rest = Math.floor((seconds % unit.seconds) / next.seconds)
  const more = seconds < unit.withNext && rest > 0 ? `${rest}${next.letter}` : ''
  return `${Math.floor(seconds / unit.seconds)}${unit.letter}${more}`
}

/** How long ago a time of Kubernetes was. */
export function ageOf(time: string | undefined, now: number): string {
  return time === undefined ? '<unknown>' : shortDuration(now - Date.parse(time))
}

/** Decimal units, three significant digits, as docker prints sizes: `7.66MB`. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = count
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))}${units[unit]}`
}

/** Units of 1024, four significant digits, as docker prints memory: `23.45MiB`. */
export function binaryBytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = count
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : Number(value.toPrecision(4))}${units[unit]}`
}

/** In quotes and cut to 20 characters (contract 10.2). */
export function shortCommand(command: readonly string[] | null): string {
  const text = (command ?? []).join(' ')
  return `"${text.length > 20 ? `${text.slice(0, 20)}…` : text}"`
}

/** Names of registries' default namespace are not shown: `library/nginx` is `nginx`. */
export function shortRepository(repository: string): string {
  return repository.startsWith('library/') ? repository.slice('library/'.length) : repository
}

/** As a command line takes it: `nginx:latest`, `host/app@sha256:...`. */
export function nameOfImage({ repository, reference }: { repository: string; reference: string }): string {
  return `${shortRepository(repository)}${reference.startsWith('sha256:') ? '@' : ':'}${reference}`
}
