/** Something that happened; written in the transaction of what it tells. */
export interface Event {
  /** Strictly rising. */
  readonly sequence: number
  /** ns since the epoch. */
  readonly timeNs: bigint
  readonly kind: string
  readonly action: string
  readonly uid: string
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
}

export type NewEvent = Omit<Event, 'sequence' | 'timeNs'>
