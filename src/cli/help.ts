import { type Command, type FlagSpec, GLOBAL_FLAGS } from './command.ts'

/** All commands, by their short forms where they have one. */
export function overview(commands: readonly Command[]): string {
  const lines = columns(
    commands
      .filter(({ unlisted }) => !unlisted)
      .map(({ names, summary }) => [names.length > 1 ? `${names[0]}, ${names[1]}` : names[0], summary]),
  )
  return `Usage: raind COMMAND [FLAGS] [ARGUMENTS]\n\nCommands:\n${lines}\nEvery command takes --help, --json, and --socket PATH or --host URL.\n`
}

export function commandHelp({ names, summary, usage, flags }: Command): string {
  const aliases =
    names.length > 1
      ? `\nAlso: ${names
          .slice(1)
          .map((name) => `raind ${name}`)
          .join(', ')}\n`
      : ''
  const lines = columns(
    Object.entries({ ...flags, ...GLOBAL_FLAGS }).map(([name, spec]) => [flagText(name, spec), spec.help]),
  )
  return `${summary}.\n\nUsage: raind ${names[0]} [FLAGS] ${usage}\n${aliases}\nFlags:\n${lines}`
}

function flagText(name: string, { short, value, implied }: FlagSpec): string {
  const taken = value === undefined ? '' : implied === undefined ? ` ${value}` : `[=${value}]`
  return `${short === undefined ? '    ' : `-${short}, `}--${name}${taken}`
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join('')
}
