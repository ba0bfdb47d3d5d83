import type { ReadTx } from '../store/index.ts'

/**
 * Names for layers' directories: rising numbers in base 36, because hundreds of them must fit the page of a mount's
 * options. No name is given out while a record or a directory has it.
 */
export class LayerDirectories {
  #last = 0
  #recordsRead = false

  /** Called in the transaction that records the layer. */
  next(tx: ReadTx): string {
    if (!this.#recordsRead) this.skip(tx.list('Layer').map((layer) => layer.spec.directory))
    this.#recordsRead = true
    this.#last++
    return this.#last.toString(36)
  }

  /** Names that are in use whatever the records say: directories that were found on disk. */
  skip(names: readonly string[]): void {
    for (const name of names) {
      if (/^[0-9a-z]{1,8}$/.test(name)) this.#last = Math.max(this.#last, Number.parseInt(name, 36))
    }
  }
}
