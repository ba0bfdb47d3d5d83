/** A moment as RFC 3339 text in UTC with whole seconds (metav1.Time): `2025-01-31T12:00:00Z`. */
export type Time = string

export function kubeTime(ms: number): Time {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
