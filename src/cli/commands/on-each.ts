import type { Command, FlagSpec, Invocation } from '../command.ts'
import { settle } from '../errors.ts'

interface Each {
  readonly names: Command['names']
  readonly summary: string
  /** What is named, in small letters: `container`. */
  readonly kind: string
  /** What is said of each afterwards: `removed`. */
  readonly done: string
  readonly flags?: Readonly<Record<string, FlagSpec>>
  /** Resolves with the data of the answer. */
  act(invocation: Invocation, ref: string): Promise<unknown>
}

/** A command that does one thing to each that is named; goes on after a failure and reports all of them. */
export function onEach({ names, summary, kind, done, flags = {}, act }: Each): Command {
  return {
    names,
    summary,
    usage: `${kind.toUpperCase()}...`,
    flags,
    minArgs: 1,
    async run(invocation) {
      const { args, json, terminal } = invocation
      const errors: Error[] = []
      for (const ref of args) {
        try {
          const data = await act(invocation, ref)
          terminal.stdout.write(json ? `${JSON.stringify(data)}\n` : `${kind}: ${ref} ${done}\n`)
        } catch (error) {
          errors.push(error as Error)
        }
      }
      return settle(errors, terminal)
    },
  }
}

/** A command that prints all that is known of each that is named, as one list in JSON. */
export function inspecting(names: Command['names'], kind: string, pathOf: (ref: string) => string): Command {
  return {
    names,
    summary: `Print all that is known of ${kind}s, as JSON`,
    usage: `${kind.toUpperCase()}...`,
    minArgs: 1,
    async run({ client, terminal, args }) {
      const all = []
      for (const ref of args) all.push(await client.call('GET', pathOf(ref)))
      terminal.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`)
    },
  }
}
