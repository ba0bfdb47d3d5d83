import { ignored, type Mark, refused } from '../lib/schema.ts'

/** What is done about a key of Compose. */
export interface ComposeKey {
  /** Empty: it is honoured. Of a mark that is said of all values all below it is meant, too. */
  readonly marks: readonly Mark[]
  /** What is done, for the document. */
  readonly note?: string
}

/** Keys that stand together; `*` is any name, `[]` any item of a list. */
export interface KeySection {
  readonly title: string
  /** Of all their paths. */
  readonly below: string
  readonly keys: Readonly<Record<string, ComposeKey>>
}

function honoured(note?: string): ComposeKey {
  return { marks: [], ...(note !== undefined && { note }) }
}

function warned(why?: string, note?: string): ComposeKey {
  return { marks: [ignored(why)], ...(note !== undefined && { note }) }
}

function never(why: string): ComposeKey {
  return { marks: [refused(why)] }
}

/** Refused with all values but these. */
function only(values: readonly unknown[], why: string, note?: string): ComposeKey {
  return { marks: [refused(why, { except: values })], ...(note !== undefined && { note }) }
}

/** Refused with these values. */
function not(values: readonly unknown[], why: string): ComposeKey {
  return { marks: [refused(why, { only: values })] }
}

const SWARM = 'there is one host'
const WINDOWS = 'it is of Windows'

const TOP: KeySection['keys'] = {
  name: honoured("the bottle's name: `[a-z0-9][a-z0-9_-]*`, at most 63 characters"),
  version: warned('it is obsolete'),
  include: honoured('by the client, which can read files'),
  'include[].env_file': honoured(),
  'include[].path': honoured(),
  'include[].project_directory': honoured(),
  services: honoured(),
  networks: honoured('those that a service is in are made'),
  volumes: honoured('those that a service mounts are made'),
  secrets: honoured(),
  configs: honoured(),
  models: warned('there is nothing that runs language models'),
}

const SERVICE: KeySection['keys'] = {
  annotations: warned(),
  attach: warned(),
  blkio_config: warned(),
  build: warned('images are not built here', 'refused without an `image`'),
  cap_add: honoured(),
  cap_drop: honoured(),
  cgroup: not(['host'], 'a container has a cgroup namespace of its own'),
  cgroup_parent: warned(),
  command: honoured('a text is split as a shell would'),
  configs: honoured('below `/` if the target is not absolute'),
  'configs[].source': honoured(),
  'configs[].target': honoured(),
  'configs[].uid': honoured('a number; not of a `file`'),
  'configs[].gid': honoured('a number; not of a `file`'),
  'configs[].mode': honoured('`0444` if absent; not of a `file`'),
  container_name: honoured('with one replica'),
  cpu_count: warned(WINDOWS),
  cpu_percent: warned(WINDOWS),
  cpu_period: honoured(),
  cpu_quota: honoured('as CPUs: the quota by the period'),
  cpu_rt_period: warned(),
  cpu_rt_runtime: warned(),
  cpu_shares: honoured(),
  cpus: honoured(),
  cpuset: honoured(),
  credential_spec: warned(WINDOWS),
  depends_on: honoured('a list, or a map'),
  'depends_on.*.condition': honoured(),
  'depends_on.*.required': honoured(),
  'depends_on.*.restart': honoured(),
  'deploy.endpoint_mode': warned(SWARM),
  'deploy.labels': warned(SWARM),
  'deploy.mode': only(['replicated'], 'only "replicated" is'),
  'deploy.placement': warned(SWARM),
  'deploy.replicas': honoured(),
  'deploy.resources.limits.cpus': honoured(),
  'deploy.resources.limits.memory': honoured(),
  'deploy.resources.limits.pids': honoured(),
  'deploy.resources.reservations.cpus': warned('nothing keeps CPUs for a container; cpu_shares gives it weight'),
  'deploy.resources.reservations.devices': never('only devices can give a container a device'),
  'deploy.resources.reservations.generic_resources': warned(SWARM),
  'deploy.resources.reservations.memory': honoured('as `mem_reservation`'),
  'deploy.restart_policy.condition': honoured('wins over `restart`'),
  'deploy.restart_policy.delay': warned(),
  'deploy.restart_policy.max_attempts': honoured('with `on-failure`'),
  'deploy.restart_policy.window': warned(),
  'deploy.rollback_config': warned(),
  'deploy.update_config.delay': warned(),
  'deploy.update_config.failure_action': warned(),
  'deploy.update_config.max_failure_ratio': warned(),
  'deploy.update_config.monitor': warned(),
  'deploy.update_config.order': honoured(),
  'deploy.update_config.parallelism': warned(),
  develop: warned(),
  device_cgroup_rules: warned(),
  devices: honoured(),
  'devices[].permissions': honoured(),
  'devices[].source': honoured(),
  'devices[].target': honoured(),
  dns: honoured(),
  dns_opt: honoured(),
  dns_search: honoured(),
  domainname: honoured('behind `hostname`, which it needs'),
  entrypoint: honoured('a text is split as a shell would'),
  env_file: honoured('by the client, which can read files; `environment` wins'),
  'env_file[].format': honoured('`raw`'),
  'env_file[].path': honoured(),
  'env_file[].required': honoured(),
  environment: honoured('a map, or a list; of a name alone the value that the client has, if any'),
  expose: honoured('services reach all ports of one another'),
  extends: honoured('of another file by the client, which can read it'),
  'extends.file': honoured(),
  'extends.service': honoured(),
  external_links: warned('a service reaches what is in its networks, by its name'),
  extra_hosts: honoured(),
  gpus: never('only devices can give a container a device'),
  group_add: honoured(),
  'healthcheck.disable': honoured(),
  'healthcheck.interval': honoured(),
  'healthcheck.retries': honoured(),
  'healthcheck.start_interval': honoured(),
  'healthcheck.start_period': honoured(),
  'healthcheck.test': honoured(),
  'healthcheck.timeout': honoured(),
  hostname: honoured(),
  image: honoured(),
  init: honoured(),
  ipc: honoured('`host`, `private` or `shareable`'),
  isolation: warned(WINDOWS),
  label_file: warned(),
  labels: honoured(),
  links: honoured('as `depends_on`; an alias is one in all networks that both are in'),
  logging: warned('each container has one log, in the format of CRI'),
  mac_address: warned(),
  mem_limit: honoured(),
  mem_reservation: honoured(),
  mem_swappiness: warned(),
  memswap_limit: honoured(),
  models: never('there is nothing that runs language models'),
  network_mode: honoured('`none`, `host` or `bridge`, which is the default network of the daemon'),
  networks: honoured('a list, or a map; `default` if there is none'),
  'networks.*.aliases': honoured(),
  'networks.*.driver_opts': warned(),
  'networks.*.gw_priority': honoured('the highest gives the default route'),
  'networks.*.interface_name': warned(),
  'networks.*.ipv4_address': honoured(),
  'networks.*.ipv6_address': honoured(),
  'networks.*.link_local_ips': warned(),
  'networks.*.mac_address': warned(),
  'networks.*.priority': honoured('after `gw_priority`'),
  oom_kill_disable: warned(),
  oom_score_adj: honoured(),
  pid: honoured('`host`'),
  pids_limit: honoured(),
  platform: warned("images are of this host's platform"),
  ports: honoured('a text, a number or an object; without a port of the host, or with 0, a free one'),
  'ports[].app_protocol': warned('nothing looks at what is sent'),
  'ports[].host_ip': honoured(),
  'ports[].mode': honoured('`host` and `ingress` are one on one host'),
  'ports[].name': warned(),
  'ports[].protocol': honoured('`tcp` or `udp`'),
  'ports[].published': honoured('one port'),
  'ports[].target': honoured(),
  post_start: never('nothing is run beside what a container is'),
  pre_stop: never('nothing is run beside what a container is'),
  privileged: honoured(),
  profiles: honoured('without one that was asked for the service is left out'),
  provider: never('a service is containers'),
  pull_policy: honoured(
    '`always`, `missing` or `never`; a time is taken as `missing`, with a warning; `build` is refused',
  ),
  pull_refresh_after: warned(),
  read_only: honoured(),
  restart: honoured(),
  runtime: never("the daemon's own runtime runs all containers of a bottle"),
  scale: honoured('as `deploy.replicas`'),
  secrets: honoured('below `/run/secrets` if the target is not absolute'),
  'secrets[].gid': honoured('a number; not of a `file`'),
  'secrets[].mode': honoured('`0444` if absent; not of a `file`'),
  'secrets[].source': honoured(),
  'secrets[].target': honoured(),
  'secrets[].uid': honoured('a number; not of a `file`'),
  security_opt: honoured('`label` is passed over with a warning; the file of a seccomp profile is read by the client'),
  shm_size: honoured(),
  stdin_open: honoured(),
  stop_grace_period: honoured(),
  stop_signal: honoured(),
  storage_opt: warned(),
  sysctls: honoured(),
  tmpfs: honoured(),
  tty: honoured(),
  'ulimits.*': honoured(),
  'ulimits.*.hard': honoured(),
  'ulimits.*.soft': honoured(),
  use_api_socket: never('a container gets no door to the daemon'),
  user: honoured(),
  userns_mode: only(['host'], 'containers have the user namespace of the host'),
  uts: honoured('`host`'),
  volumes: honoured('a text, or an object'),
  'volumes[].bind.create_host_path': honoured('true if absent'),
  'volumes[].bind.propagation': honoured(),
  'volumes[].bind.recursive': { marks: [ignored(undefined, { except: ['enabled'] })] },
  'volumes[].bind.selinux': warned(),
  'volumes[].consistency': warned(),
  'volumes[].image': warned(),
  'volumes[].read_only': honoured(),
  'volumes[].source': honoured(),
  'volumes[].target': honoured(),
  'volumes[].tmpfs.mode': honoured(),
  'volumes[].tmpfs.size': honoured(),
  'volumes[].type': only(['bind', 'volume', 'tmpfs'], 'only bind, volume and tmpfs are'),
  'volumes[].volume.labels': warned(),
  'volumes[].volume.nocopy': honoured(),
  'volumes[].volume.subpath': never('a volume is mounted as a whole'),
  volumes_from: never('name the volumes in both services'),
  working_dir: honoured(),
}

const NETWORK: KeySection['keys'] = {
  attachable: warned(SWARM),
  driver: only(['bridge', 'default'], 'only bridge is'),
  'driver_opts.*': honoured('`com.docker.network.driver.mtu`; others are warned of'),
  enable_ipv4: not([false], 'each network has IPv4'),
  enable_ipv6: honoured('with a subnet of IPv6 as if it were there'),
  external: honoured(),
  'external.name': honoured(),
  internal: never('a network leads out; use network_mode: none, or rules of the firewall'),
  'ipam.config[].aux_addresses': warned(),
  'ipam.config[].gateway': honoured(),
  'ipam.config[].ip_range': warned(),
  'ipam.config[].subnet': honoured('one of IPv4, one of IPv6'),
  'ipam.driver': only(['default'], 'only default is'),
  'ipam.options': warned(),
  labels: honoured(),
  name: honoured(),
}

const VOLUME: KeySection['keys'] = {
  driver: only(['local'], 'only local is'),
  driver_opts: never('to mount a directory use a bind mount'),
  external: honoured(),
  'external.name': honoured(),
  labels: honoured(),
  name: honoured(),
}

const STORED = 'there is no place that keeps it: use file or environment'

const SECRET: KeySection['keys'] = {
  driver: never(STORED),
  driver_opts: never(STORED),
  environment: honoured('by the client; in what it sends it is `x-content`'),
  external: never(STORED),
  file: honoured('mounted as it is'),
  labels: warned(),
  name: warned('a secret is known to its project only'),
  template_driver: never('nothing is filled in'),
}

const CONFIG: KeySection['keys'] = {
  content: honoured(),
  environment: honoured('by the client; in what it sends it is `content`'),
  external: never(STORED),
  file: honoured('mounted as it is'),
  labels: warned(),
  name: warned('a config is known to its project only'),
  template_driver: never('nothing is filled in'),
}

/** Each key of the specification's schema, or one above it that is not honoured as a whole. */
export const COMPOSE_KEYS: readonly KeySection[] = [
  { title: 'The file', below: '', keys: TOP },
  { title: 'A service', below: 'services.*', keys: SERVICE },
  { title: 'A network', below: 'networks.*', keys: NETWORK },
  { title: 'A volume', below: 'volumes.*', keys: VOLUME },
  { title: 'A secret', below: 'secrets.*', keys: SECRET },
  { title: 'A config', below: 'configs.*', keys: CONFIG },
]
