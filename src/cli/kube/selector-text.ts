import type { WireReplicaSetObject } from '../../api/raind/index.ts'

/** `app=web,tier=front` by key; also what a query takes for a selector of exactly these. */
export function labelsText(labels: Readonly<Record<string, string>> = {}): string {
  return labelPairs(labels).join(',') || '<none>'
}

export function labelPairs(labels: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
}

type Selector = WireReplicaSetObject['spec']['selector']
type Requirement = NonNullable<Selector['matchExpressions']>[number]

/** As kubectl prints a selector: `app=web,env in (a,b),!canary`. */
export function selectorText({ matchLabels, matchExpressions = [] }: Selector): string {
  return [...labelPairs(matchLabels), ...matchExpressions.map(requirementText)].join(',') || '<none>'
}

function requirementText({ key, operator, values = [] }: Requirement): string {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return `${key} ${operator.toLowerCase()} (${values.toSorted().join(',')})`
    case 'Exists':
      return key
    case 'DoesNotExist':
      return `!${key}`
  }
}
