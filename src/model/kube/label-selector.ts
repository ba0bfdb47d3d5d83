import { array, atomic, map, object, oneOf, optional, type Static, string } from '../../lib/schema.ts'

const requirement = object({
  key: string(),
  operator: oneOf('In', 'NotIn', 'Exists', 'DoesNotExist'),
  values: optional(array(string())),
})

export const labelSelector = atomic(
  object({
    matchLabels: optional(map(string())),
    matchExpressions: optional(array(requirement)),
  }),
)

export type LabelSelector = Static<typeof labelSelector>
export type LabelSelectorRequirement = Static<typeof requirement>

/** Whether all of a selector holds for these labels. An empty selector selects everything. */
export function selects(selector: LabelSelector, labels: Readonly<Record<string, string>> = {}): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector
  return (
    Object.entries(matchLabels).every(([key, value]) => labelOf(labels, key) === value) &&
    matchExpressions.every((requirement) => holds(requirement, labelOf(labels, requirement.key)))
  )
}

function holds({ operator, values = [] }: LabelSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
  }
}

function labelOf(labels: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}
