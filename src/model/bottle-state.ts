import { type Container, type ContainerState, containerState } from './container.ts'

/** What all containers of a bottle have in common; `abnormal` if that is nothing or one is missing, `unknown` if there are none. */
export type BottleState = ContainerState | 'abnormal' | 'unknown'

/** @param wanted how many there should be */
export function bottleState(containers: readonly Container[], wanted: number): BottleState {
  const states = new Set(containers.map(({ status }) => containerState(status)))
  if (states.size === 0) return 'unknown'
  return states.size === 1 && containers.length === wanted ? [...states][0]! : 'abnormal'
}
