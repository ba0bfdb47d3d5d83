import type { Ulimit } from '../../model/container.ts'
import type { SecurityOptions } from '../../model/security.ts'
import { RLIM_INFINITY } from './encode-oci.ts'
import type { HostFacts } from './host-facts.ts'
import type { OciCapabilities, OciProcess, OciRlimit } from './oci-types.ts'
import type { ResolvedUser } from './resolve-user.ts'

export interface OciProcessInput {
  readonly args: readonly string[]
  /** `K=V`; a bare `K` removes a default. */
  readonly env: readonly string[]
  readonly workingDir: string
  readonly hostname: string
  readonly user: ResolvedUser
  readonly tty: boolean
  readonly capabilities: readonly string[]
  readonly ulimits?: readonly Ulimit[]
  readonly oomScoreAdj?: number
  readonly security?: SecurityOptions
  readonly apparmorProfile?: string
  readonly host: Pick<HostFacts, 'maxOpenFiles' | 'oomScoreAdj'>
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** systemd's defaults, which current docker leaves in force; the hard limit only as far as the daemon may give it. */
const OPEN_FILES = { soft: 1024, hard: 524_288 }

/** The process of a container, or of an exec in one. */
export function ociProcess(input: OciProcessInput): OciProcess {
  const { user, host, apparmorProfile } = input
  return {
    terminal: input.tty,
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: input.args,
    env: processEnv(input),
    cwd: input.workingDir === '' ? '/' : input.workingDir,
    capabilities: processCapabilities(input.capabilities, user.uid),
    rlimits: processLimits(input.ulimits ?? [], host.maxOpenFiles),
    noNewPrivileges: input.security?.noNewPrivileges ?? false,
    oomScoreAdj: input.oomScoreAdj ?? host.oomScoreAdj,
    ...(apparmorProfile !== undefined && { apparmorProfile }),
  }
}

/** Those asked for, and docker's default of open files unless it was asked for. */
function processLimits(ulimits: readonly Ulimit[], maxOpenFiles: number): OciRlimit[] {
  const asked = new Map(ulimits.map((limit) => [limit.name, limit]))
  const hard = Math.min(OPEN_FILES.hard, maxOpenFiles)
  const openFiles = { name: 'nofile', soft: Math.min(OPEN_FILES.soft, hard), hard }
  return [...(asked.has('nofile') ? [] : [openFiles]), ...asked.values()].map(({ name, soft, hard }) => ({
    type: `RLIMIT_${name.toUpperCase()}`,
    soft: soft === -1 ? RLIM_INFINITY : soft,
    hard: hard === -1 ? RLIM_INFINITY : hard,
  }))
}

export interface OciExecProcessInput {
  readonly args: readonly string[]
  /** `K=V`, over the container's; a bare `K` removes one. */
  readonly env?: readonly string[]
  readonly workingDir?: string
  /** Another user than the container's. */
  readonly user?: ResolvedUser
  readonly tty?: boolean
}

/** A further process in a container, from the container's own (of its config.json) and what is asked for. */
export function ociExecProcess(
  container: OciProcess,
  { args, env = [], workingDir, user, tty = false }: OciExecProcessInput,
): OciProcess {
  const base = user === undefined ? container.env : container.env.filter((entry) => !entry.startsWith('HOME='))
  const variables = overlay(new Map(), [...base, ...env])
  if (user !== undefined && !variables.has('HOME')) variables.set('HOME', user.home)
  if (tty && !variables.has('TERM')) variables.set('TERM', 'xterm')
  return {
    ...container,
    terminal: tty,
    args,
    env: entries(variables),
    ...(workingDir !== undefined && { cwd: workingDir }),
    ...(user !== undefined && {
      user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
      capabilities: processCapabilities(container.capabilities.bounding, user.uid),
    }),
  }
}

/**
 * As docker: nothing is inheritable or ambient, and a user who is not root starts with none in force, as execve(2)
 * would have it; the bounding set remains for set-uid programs.
 */
function processCapabilities(capabilities: readonly string[], uid: number): OciCapabilities {
  const held = uid === 0 ? capabilities : []
  return { bounding: capabilities, effective: held, permitted: held, inheritable: [], ambient: [] }
}

function processEnv({ env, hostname, tty, user }: OciProcessInput): string[] {
  const variables = new Map([
    ['PATH', PATH],
    ['HOSTNAME', hostname],
  ])
  if (tty) variables.set('TERM', 'xterm')
  overlay(variables, env)
  if (!variables.has('HOME')) variables.set('HOME', user.home)
  return entries(variables)
}

function overlay(variables: Map<string, string>, env: readonly string[]): Map<string, string> {
  for (const entry of env) {
    const [name = '', value] = entry.split(/=(.*)/s)
    if (value === undefined) variables.delete(name)
    else variables.set(name, value)
  }
  return variables
}

function entries(variables: ReadonlyMap<string, string>): string[] {
  return [...variables].map(([name, value]) => `${name}=${value}`)
}
