import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ApiClient } from '../support/api-client.ts'
import type { Home } from '../support/daemon.ts'

/** A container whose create was acknowledged. */
interface Known {
  readonly id: string
  /** All that it may ever have been called. */
  readonly names: Set<string>
  /** It ends only if somebody ends it. */
  readonly endless: boolean
  /** Since this start was acknowledged nobody has asked for its end. */
  runs: boolean
}

type Thing = 'volumes' | 'networks'

/**
 * What must hold, whatever happened: only what was acknowledged counts, and only until somebody asks for its end. An
 * operation whose answer was lost may have happened or not. Whatever is under way by name may mean a container that
 * is not known yet.
 */
export class Model {
  readonly #containers = new Map<string, Known>()
  /** Asked for, or acknowledged. */
  readonly #removals = new Map<string, 'asked' | 'done'>()
  readonly #endings = new Set<{ readonly ref: string }>()
  readonly #renames = new Set<{ readonly from: string; readonly to: string }>()
  readonly #unmakings = new Set<{ readonly kind: Thing; readonly name: string }>()
  readonly #things = { volumes: new Map<string, boolean>(), networks: new Map<string, boolean>() }

  created(id: string, name: string, endless: boolean): void {
    const names = new Set([name])
    for (const { from, to } of this.#renames) if (names.has(from)) names.add(to)
    this.#containers.set(id, { id, names, endless, runs: false })
  }

  /** Call what is returned when it is over. */
  renaming(from: string, to: string): () => void {
    const rename = { from, to }
    this.#renames.add(rename)
    for (const known of this.#meant(from)) known.names.add(to)
    return () => this.#renames.delete(rename)
  }

  /** Something that may end it begins; call what is returned when it is over. */
  ending(ref: string): () => void {
    const ending = { ref }
    this.#endings.add(ending)
    for (const known of this.#meant(ref)) known.runs = false
    return () => this.#endings.delete(ending)
  }

  started(id: string): void {
    const known = this.#containers.get(id)
    if (known === undefined || !known.endless) return
    known.runs = ![...this.#endings].some(({ ref }) => ref === id || known.names.has(ref))
  }

  removing(id: string): void {
    if (!this.#removals.has(id)) this.#removals.set(id, 'asked')
  }

  removed(id: string): void {
    this.#removals.set(id, 'done')
  }

  made(kind: Thing, name: string): void {
    this.#things[kind].set(name, ![...this.#unmakings].some((it) => it.kind === kind && it.name === name))
  }

  /** Call what is returned when it is over. */
  unmaking(kind: Thing, name: string): () => void {
    const unmaking = { kind, name }
    this.#unmakings.add(unmaking)
    this.#things[kind].set(name, false)
    return () => this.#unmakings.delete(unmaking)
  }

  /** While nothing is under way: what is lost, or there and should not be, in words. */
  async faults(api: ApiClient, home: Home): Promise<string[]> {
    // biome-ignore lint/suspicious/noExplicitAny: wires of several shapes
    const list = async (path: string): Promise<any[]> => (await api.get(path)).json.data ?? []
    const states = new Map<string, string>(
      (await list('/v1/containers')).map(({ containerId, state }) => [containerId, state]),
    )
    const faults: string[] = []
    for (const { id, runs } of this.#containers.values()) {
      const [state, removal] = [states.get(id), this.#removals.get(id)]
      if (removal === undefined && state === undefined) faults.push(`container ${id} is lost`)
      if (removal === 'done' && state !== undefined) faults.push(`container ${id} was removed, and is ${state}`)
      if (removal === undefined && runs && state !== 'running') {
        faults.push(`container ${id} was started, nobody has ended it, and it is ${state}`)
      }
      if (removal === 'done') this.#containers.delete(id)
    }
    const there = {
      networks: new Set((await list('/v1/networks')).map(({ Name }) => Name)),
      volumes: new Set((await list('/v1/volumes')).map(({ name }) => name)),
    }
    for (const kind of ['networks', 'volumes'] as const) {
      for (const [name, isMade] of this.#things[kind]) {
        if (isMade && !there[kind].has(name)) faults.push(`of the ${kind}, ${name} is lost`)
      }
    }
    for (const name of there.volumes) {
      if (!existsSync(join(home.root, 'volumes', name, '_data'))) faults.push(`the files of volume ${name} are lost`)
    }
    return faults
  }

  #meant(ref: string): Known[] {
    return [...this.#containers.values()].filter(({ id, names }) => id === ref || names.has(ref))
  }
}
