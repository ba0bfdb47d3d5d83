/** One line of the table. */
export interface Row {
  readonly promise: string
  readonly value: number
  readonly target: number
  /** `x`: a ratio to what was measured in the same loop. */
  readonly unit: 'x' | 'ms' | 'MB'
  /** Where more is better. */
  readonly atLeast?: boolean
  /** The figures behind the value. */
  readonly note: string
}

export interface BenchOptions {
  /** The production bundle's programs. */
  readonly condenser: string
  readonly raind: string
  readonly runtime: 'auto' | 'crun' | 'runc'
  /** What every count and size is multiplied by; 1 measures as promised. */
  readonly scale: number
}

/** One promise of the table, or a few that are measured together. */
export interface Bench {
  readonly name: string
  run(options: BenchOptions): Promise<readonly Row[]>
}

export function isKept({ value, target, atLeast }: Row): boolean {
  return atLeast === true ? value >= target : value <= target
}
