import { messageOf, systemCode } from '../lib/errors.ts'
import { type Fault, quoted, throwFaults, type Warning } from './faults.ts'
import type { Variables } from './interpolate.ts'
import type { Directory } from './paths.ts'
import { MAX_WEIGHT } from './read-yaml.ts'
import { type Place, type Tree, weightOf } from './tree.ts'

/** How files are read that stand together. */
export interface Surroundings {
  readonly variables: Variables
  readonly directory: Directory
  /** The files that led here, for what includes itself. */
  readonly includedBy: readonly string[]
}

const MAX_FILES = 1000
/** What a tree takes besides what is in it. */
const TREE_WEIGHT = 2048

/** What is read, and what is found out on the way; one for a project. */
export class Loading {
  readonly faults: Fault[] = []
  readonly warnings: Warning[] = []
  readonly #readFile: ((path: string) => string) | undefined
  readonly #unset = new Set<string>()
  readonly #texts = new Map<string, string | undefined>()
  #weight = 0

  constructor(readFile: ((path: string) => string) | undefined) {
    this.#readFile = readFile
  }

  /** @throws {StatusError} `invalid_argument`, naming who wants it */
  read(path: string, at: Omit<Fault, 'problem'>): string {
    return this.readOptional(path, at) ?? this.refuse({ ...at, problem: `names the file ${path}, which is not there` })
  }

  /** Undefined if there is no such file. @throws {StatusError} `invalid_argument`, naming who wants it */
  readOptional(path: string, at: Omit<Fault, 'problem'>): string | undefined {
    if (this.#readFile === undefined) {
      const problem = `names the file ${quoted(path)}, which only the client can read: have it resolve the project`
      return this.refuse({ ...at, problem })
    }
    if (!this.#texts.has(path)) this.#texts.set(path, this.#readOnce(this.#readFile, path, at))
    return this.#texts.get(path)
  }

  #readOnce(readFile: (path: string) => string, path: string, at: Omit<Fault, 'problem'>): string | undefined {
    if (this.#texts.size === MAX_FILES)
      this.refuse({ ...at, problem: `is one more than the ${MAX_FILES} files that are read` })
    try {
      return readFile(path)
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined
      return this.refuse({ ...at, problem: `names the file ${path}, which cannot be read: ${messageOf(error)}` })
    }
  }

  /** @throws {StatusError} `invalid_argument` with all faults so far */
  refuse(fault: Fault): never {
    this.faults.push(fault)
    this.throw()
    throw new Error('unreachable')
  }

  /** @throws {StatusError} `invalid_argument` if there are faults */
  throw(): void {
    throwFaults(this.faults)
  }

  /** Told once for a variable. */
  unset(name: string, place: Place | undefined): void {
    if (this.#unset.has(name)) return
    this.#unset.add(name)
    this.warnings.push({ path: [], place, problem: `the variable ${name} is not set, and taken as empty` })
  }

  /** What is copied may be copied again: all of it together is bounded. @throws {StatusError} `invalid_argument` */
  weigh(tree: Tree): void {
    this.#weight += TREE_WEIGHT + weightOf(tree, MAX_WEIGHT)
    if (this.#weight > 4 * MAX_WEIGHT) {
      this.refuse({
        path: [],
        place: tree.place,
        problem: 'the project is too large with all that it extends and includes',
      })
    }
  }
}
