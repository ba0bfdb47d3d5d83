/**
 * Bottles: groups of containers, each alone in its namespaces, with networks, names, an order and one life.
 *
 * Guarantees: a verb that fails takes back what it has done; one verb at a time on a bottle; what a kill of the daemon
 * breaks off is taken back or finished at its next start (making, removing), or when it is asked for again (bringing up).
 */
export { type BottlesOptions, createBottles } from './bottles.ts'
export { networkName } from './names.ts'
export type { BottleStep, Bottles, Member, RemoveBottle, StopBottle, UpBottle } from './types.ts'
