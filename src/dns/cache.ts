import { RCODE, type Response, TYPE } from './message.ts'

const TTL_LIMIT = 86_400
const NEGATIVE_TTL_LIMIT = 900

interface Entry {
  readonly message: Buffer
  readonly ttlOffsets: readonly number[]
  /** Seconds. */
  readonly storedAt: number
  readonly ttl: number
}

/** Answers of other servers, for as long as those said, also that there is none (RFC 2308). The oldest make room. */
export class Cache {
  readonly #entries = new Map<string, Entry>()
  readonly #limitBytes: number
  readonly #nowSeconds: () => number
  #bytes = 0

  constructor(limitBytes: number, nowSeconds = () => performance.now() / 1000) {
    this.#limitBytes = limitBytes
    this.#nowSeconds = nowSeconds
  }

  /** A copy, whose times to live are what is left of them. */
  get(key: string): Buffer | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    const ageSeconds = Math.floor(this.#nowSeconds() - entry.storedAt)
    if (ageSeconds >= entry.ttl) {
      this.#delete(key, entry)
      return undefined
    }
    const message = Buffer.from(entry.message)
    for (const offset of entry.ttlOffsets) {
      message.writeUInt32BE(Math.max(0, message.readUInt32BE(offset) - ageSeconds), offset)
    }
    return message
  }

  put(key: string, response: Response): void {
    const ttl = secondsToKeep(response)
    if (ttl <= 0) return
    const { message, records } = response
    const old = this.#entries.get(key)
    if (old !== undefined) this.#delete(key, old)
    const ttlOffsets = records.filter(({ type }) => type !== TYPE.OPT).map(({ ttlOffset }) => ttlOffset)
    const entry = { message, ttlOffsets, storedAt: this.#nowSeconds(), ttl }
    this.#entries.set(key, entry)
    this.#bytes += weight(key, entry)
    for (const [oldest, value] of this.#entries) {
      if (this.#bytes <= this.#limitBytes) break
      this.#delete(oldest, value)
    }
  }

  clear(): void {
    this.#entries.clear()
    this.#bytes = 0
  }

  #delete(key: string, entry: Entry): void {
    this.#entries.delete(key)
    this.#bytes -= weight(key, entry)
  }
}

/** 0 for what is not to be kept: failures, cut answers, and "there is none" without a word on how long that holds. */
export function secondsToKeep({ rcode, truncated, records, message }: Response): number {
  if (truncated || (rcode !== RCODE.ok && rcode !== RCODE.noSuchName)) return 0
  const lifetimes = records.filter(({ type }) => type !== TYPE.OPT).map(({ ttl }) => (ttl > 0x7fff_ffff ? 0 : ttl))
  const soa = records.find(({ section, type }) => section === 'authority' && type === TYPE.SOA)
  const isNegative = rcode === RCODE.noSuchName || !records.some(({ section }) => section === 'answer')
  if (!isNegative) return Math.min(TTL_LIMIT, ...lifetimes)
  if (soa === undefined || soa.dataBytes < 22) return 0
  const minimum = message.readUInt32BE(soa.dataOffset + soa.dataBytes - 4)
  return Math.min(NEGATIVE_TTL_LIMIT, minimum, ...lifetimes)
}

/** With a guess at what the objects around it take. */
function weight(key: string, { message, ttlOffsets }: Entry): number {
  return message.length + 2 * key.length + 8 * ttlOffsets.length + 200
}
