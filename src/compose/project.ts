import type { Json } from './tree.ts'

/** As a file may have it: a text, where a variable was in its place. */
export type Truth = boolean | string
export type Count = number | string

type MapOf<T> = Readonly<Record<string, T>>

/**
 * A Compose project in canonical spelling: what `resolveProject` returns. As JSON it is a Compose file. Of keys that are
 * not honoured nothing is said here, though they may be there.
 */
export interface ComposeProject {
  readonly name: string
  readonly services: MapOf<ComposeService>
  readonly networks?: MapOf<ComposeNetwork | null>
  readonly volumes?: MapOf<ComposeVolume | null>
  readonly secrets?: MapOf<ComposeSource>
  readonly configs?: MapOf<ComposeSource>
}

export interface ComposeService {
  readonly build?: Json
  readonly cap_add?: readonly string[]
  readonly cap_drop?: readonly string[]
  readonly command?: string | readonly string[] | null
  readonly configs?: readonly ComposeFileMount[]
  readonly container_name?: string
  readonly cpu_period?: Count
  readonly cpu_quota?: Count
  readonly cpu_shares?: Count
  readonly cpus?: Count
  readonly cpuset?: string
  readonly depends_on?: MapOf<ComposeDependency>
  readonly deploy?: ComposeDeploy | null
  readonly devices?: readonly string[]
  readonly dns?: readonly string[]
  readonly dns_opt?: readonly string[]
  readonly dns_search?: readonly string[]
  readonly domainname?: string
  readonly entrypoint?: string | readonly string[] | null
  readonly environment?: MapOf<string | null>
  readonly expose?: readonly Count[]
  readonly extra_hosts?: readonly string[]
  readonly group_add?: readonly Count[]
  readonly healthcheck?: ComposeHealthcheck
  readonly hostname?: string
  readonly image?: string
  readonly init?: Truth
  readonly ipc?: string
  readonly labels?: MapOf<string>
  readonly links?: readonly string[]
  readonly mem_limit?: Count
  readonly mem_reservation?: Count
  readonly memswap_limit?: Count
  readonly network_mode?: string
  readonly networks?: MapOf<ComposeAttachment | null>
  readonly oom_score_adj?: Count
  readonly pid?: string | null
  readonly pids_limit?: Count
  readonly ports?: readonly ComposePort[]
  readonly privileged?: Truth
  readonly pull_policy?: string
  readonly read_only?: Truth
  readonly restart?: string
  readonly scale?: Count
  readonly secrets?: readonly ComposeFileMount[]
  readonly security_opt?: readonly string[]
  readonly shm_size?: Count
  readonly stdin_open?: Truth
  readonly stop_grace_period?: string
  readonly stop_signal?: string
  readonly sysctls?: MapOf<string>
  readonly tmpfs?: readonly string[]
  readonly tty?: Truth
  readonly ulimits?: MapOf<Count | { readonly soft: Count; readonly hard: Count }>
  readonly user?: string
  readonly uts?: string
  readonly volumes?: readonly ComposeMount[]
  readonly working_dir?: string
}

export interface ComposeDependency {
  readonly condition: 'service_started' | 'service_healthy' | 'service_completed_successfully'
  readonly required?: boolean
  readonly restart?: Truth
}

export interface ComposeDeploy {
  readonly replicas?: Count
  readonly resources?: {
    readonly limits?: { readonly cpus?: Count; readonly memory?: string; readonly pids?: Count }
    readonly reservations?: { readonly memory?: string }
  }
  readonly restart_policy?: { readonly condition?: string; readonly max_attempts?: Count }
  readonly update_config?: { readonly order?: 'start-first' | 'stop-first' }
}

export interface ComposeHealthcheck {
  readonly disable?: Truth
  readonly interval?: string
  readonly retries?: Count
  readonly start_interval?: string
  readonly start_period?: string
  readonly test?: string | readonly string[]
  readonly timeout?: string
}

export interface ComposeAttachment {
  readonly aliases?: readonly string[]
  readonly gw_priority?: number
  readonly ipv4_address?: string
  readonly ipv6_address?: string
  readonly priority?: number
}

export interface ComposePort {
  readonly host_ip?: string
  readonly protocol?: string
  readonly published?: string
  readonly target?: Count
}

export interface ComposeMount {
  readonly bind?: { readonly create_host_path?: Truth; readonly propagation?: string }
  readonly read_only?: Truth
  readonly source?: string
  readonly target?: string
  readonly tmpfs?: { readonly mode?: Count; readonly size?: Count }
  readonly type: string
  readonly volume?: { readonly nocopy?: Truth }
}

/** A secret or a config in a service. */
export interface ComposeFileMount {
  readonly gid?: string
  readonly mode?: Count
  readonly source?: string
  readonly target?: string
  readonly uid?: string
}

/** A secret or a config. */
export interface ComposeSource {
  readonly content?: string
  readonly environment?: string
  readonly file?: string
  /** Of a secret, which has no `content`: what its variable says. */
  readonly 'x-content'?: string
}

export interface ComposeNetwork {
  readonly driver_opts?: MapOf<Count>
  readonly enable_ipv6?: Truth
  readonly external?: Truth
  readonly ipam?: { readonly config?: readonly { readonly gateway?: string; readonly subnet?: string }[] }
  readonly labels?: MapOf<string>
  readonly name?: string
}

export interface ComposeVolume {
  readonly external?: Truth
  readonly labels?: MapOf<string>
  readonly name?: string
}
