import type { ContainerStats } from '../../containers/index.ts'
import { shortId } from '../../model/names.ts'
import type { LabelSet, Metric } from './exposition.ts'

type Used = NonNullable<ContainerStats['usage']>
/** The series of one container, beside the labels that name it; undefined: it has none. */
type Values = (usage: Used) => readonly (readonly [LabelSet, number | undefined])[]

const one = (value: (usage: Used) => number | undefined): Values => {
  return (usage) => [[{}, value(usage)]]
}
const perLink = (value: (link: Used['links'][number]) => number): Values => {
  return ({ links }) => links.map((link) => [{ interface: link.name }, value(link)])
}

/** Name, behind `condenser_container_`; type; help; values. Bytes and seconds, as Prometheus wants its units. */
const METRICS: readonly (readonly [string, 'counter' | 'gauge', string, Values])[] = [
  ['cpu_seconds_total', 'counter', 'Processor time used.', one(({ cpu }) => cpu.usageUsec / 1e6)],
  [
    'cpu_throttled_seconds_total',
    'counter',
    'Time spent waiting for the next period of the limit.',
    one(({ cpu }) => cpu.throttledUsec / 1e6),
  ],
  [
    'cpu_limit_cores',
    'gauge',
    'Processors that may be used; absent without a limit.',
    one(({ cpu }) => cpu.quotaUsec && cpu.quotaUsec / cpu.periodUsec),
  ],
  ['memory_bytes', 'gauge', 'Memory used, with the page cache.', one(({ memory }) => memory.currentBytes)],
  [
    'memory_working_set_bytes',
    'gauge',
    'Memory used, without inactive pages of files.',
    one(({ memory }) => Math.max(0, memory.currentBytes - memory.inactiveFileBytes)),
  ],
  [
    'memory_limit_bytes',
    'gauge',
    'Memory that may be used; absent without a limit.',
    one(({ memory }) => memory.maxBytes),
  ],
  ['oom_kills_total', 'counter', 'Processes killed for want of memory.', one(({ memory }) => memory.oomKills)],
  ['pids', 'gauge', 'Processes and threads.', one(({ pids }) => pids.current)],
  [
    'io_bytes_total',
    'counter',
    'Bytes read from and written to disks.',
    ({ io }) => [
      [{ operation: 'read' }, io.readBytes],
      [{ operation: 'write' }, io.writeBytes],
    ],
  ],
  [
    'io_operations_total',
    'counter',
    'Operations on disks.',
    ({ io }) => [
      [{ operation: 'read' }, io.readOps],
      [{ operation: 'write' }, io.writeOps],
    ],
  ],
  ['network_receive_bytes_total', 'counter', 'Bytes received.', perLink(({ rxBytes }) => rxBytes)],
  ['network_receive_packets_total', 'counter', 'Packets received.', perLink(({ rxPackets }) => rxPackets)],
  ['network_receive_errors_total', 'counter', 'Packets received with errors.', perLink(({ rxErrors }) => rxErrors)],
  ['network_receive_dropped_total', 'counter', 'Packets received and dropped.', perLink(({ rxDropped }) => rxDropped)],
  ['network_transmit_bytes_total', 'counter', 'Bytes sent.', perLink(({ txBytes }) => txBytes)],
  ['network_transmit_packets_total', 'counter', 'Packets sent.', perLink(({ txPackets }) => txPackets)],
  [
    'network_transmit_errors_total',
    'counter',
    'Packets that could not be sent for errors.',
    perLink(({ txErrors }) => txErrors),
  ],
  [
    'network_transmit_dropped_total',
    'counter',
    'Packets dropped instead of being sent.',
    perLink(({ txDropped }) => txDropped),
  ],
]

/**
 * One at a time, because each is work where there are many. Of those that have a process: what has ended leaves no series behind. Each series has the container's id and name
 * only; its image, which changes less often than anybody asks for it, is on the info metric.
 */
export function* containerMetrics(all: readonly ContainerStats[]): Generator<Metric> {
  const named = all.map(({ container, usage }) => {
    const { metadata, spec } = container
    return {
      labels: { id: shortId(metadata.uid), name: metadata.name },
      image: spec.image,
      status: container.status,
      usage,
    }
  })
  yield {
    name: 'condenser_container_info',
    help: 'Containers that run, with their images.',
    type: 'gauge',
    series: named.map(({ labels, image }) => [{ ...labels, image }, 1]),
  }
  yield {
    name: 'condenser_container_start_time_seconds',
    help: 'When it was started, since the epoch.',
    type: 'gauge',
    series: named.map(({ labels, status }) => [labels, status.startedAt! / 1000]),
  }
  yield {
    name: 'condenser_container_restarts_total',
    help: 'Restarts by its policy since somebody started it.',
    type: 'counter',
    series: named.map(({ labels, status }) => [labels, status.restartCount]),
  }
  for (const [name, type, help, values] of METRICS) {
    const series = named.flatMap(({ labels, usage }) =>
      (usage === undefined ? [] : values(usage)).flatMap(([more, value]) =>
        value === undefined ? [] : ([[{ ...labels, ...more }, value]] as const),
      ),
    )
    yield { name: `condenser_container_${name}`, help, type, series }
  }
}
