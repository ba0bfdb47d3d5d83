import type { Containers } from '../containers/index.ts'
import type { Images } from '../images/index.ts'
import type { KeyedLock } from '../lib/keyed-lock.ts'
import type { Logger } from '../lib/log.ts'
import type { Store } from '../store/index.ts'

/** What the verbs work with. */
export interface Deps {
  readonly store: Store
  readonly images: Images
  readonly containers: Containers
  /** One verb at a time on a bottle, by its name. */
  readonly locks: KeyedLock
  /** Persistent: where the data of secrets and configs is, a directory for each bottle that has any. */
  readonly directory: string
  readonly log: Logger
}
