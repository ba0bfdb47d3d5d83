import type { HostFacts } from './host-facts.ts'
import type { OciCapabilities, OciProcess } from './oci-types.ts'
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
  readonly apparmorProfile?: string
  readonly host: Pick<HostFacts, 'maxOpenFiles' | 'oomScoreAdj'>
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** systemd's defaults, which current docker leaves in force; the hard limit only as far as the daemon may give it. */
const OPEN_FILES = { soft: 1024, hard: 524_288 }

/** The process of a container, or of an exec in one. */
export function ociProcess(input: OciProcessInput): OciProcess {
  const { user, host, apparmorProfile } = input
  const hard = Math.min(OPEN_FILES.hard, host.maxOpenFiles)
  return {
    terminal: input.tty,
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: input.args,
    env: processEnv(input),
    cwd: input.workingDir === '' ? '/' : input.workingDir,
    capabilities: processCapabilities(input.capabilities, user.uid),
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: Math.min(OPEN_FILES.soft, hard), hard }],
    noNewPrivileges: false,
    oomScoreAdj: host.oomScoreAdj,
    ...(apparmorProfile !== undefined && { apparmorProfile }),
  }
}

export interface OciExecProcessInput {
  readonly args: readonly string[]
  /** `K=V`, over the container's; a bare `K` removes one. */
  readonly env?: readonly string[]
  readonly workingDir?: string
  /** Another user than the container's. */
  readonly user?: ResolvedUser
}

/** A further process in a container, from the container's own (of its config.json) and what is asked for. */
export function ociExecProcess(
  container: OciProcess,
  { args, env = [], workingDir, user }: OciExecProcessInput,
): OciProcess {
  const base = user === undefined ? container.env : container.env.filter((entry) => !entry.startsWith('HOME='))
  const variables = overlay(new Map(), [...base, ...env])
  if (user !== undefined && !variables.has('HOME')) variables.set('HOME', user.home)
  return {
    ...container,
    terminal: false,
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
