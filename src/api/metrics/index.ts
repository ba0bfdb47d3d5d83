/**
 * GET /metrics, for Prometheus: the daemon, its containers and images, and how long its answers take.
 *
 * Nothing is measured while nobody asks, but for what is counted anyway. Labels are bounded: containers that run, links
 * that the daemon made, routes as patterns.
 */

export { RequestDurations } from './request-metrics.ts'
export { metricsRoute, requireToken } from './routes.ts'
