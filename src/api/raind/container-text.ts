import type { Container } from '../../model/container.ts'
import type { Sandbox } from '../../model/network.ts'
import { wireContainer } from './convert.ts'

interface Written {
  readonly sandbox: Sandbox | undefined
  readonly text: string
}

/** By container. Those of the store's lists are frozen, and the same objects as long as nothing changes. */
const written = new WeakMap<Container, Written>()

/** The JSON of a container on the wire; written once for each state of the container and its sandbox. */
export function containerText(container: Container, sandbox: Sandbox | undefined): string {
  const before = written.get(container)
  if (before !== undefined && before.sandbox === sandbox) return before.text
  const text = JSON.stringify(wireContainer(container, sandbox))
  if (Object.isFrozen(container)) written.set(container, { sandbox, text })
  return text
}
