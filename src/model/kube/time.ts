/** A moment as RFC 3339 text in UTC with whole seconds (metav1.Time): `2025-01-31T12:00:00Z`. */
export type Time = string

/** Years have four digits. */
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59)

export function kubeTime(ms: number): Time {
  return `${new Date(Math.min(ms, LATEST_MS)).toISOString().slice(0, 19)}Z`
}
