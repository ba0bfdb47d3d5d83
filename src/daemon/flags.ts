import { parseArgs } from 'node:util'
import { messageOf, StatusError } from '../lib/errors.ts'

export const HELP = `Usage: condenser [flags]

The high-level container runtime of the Raind stack.

Flags, with their defaults:
  --root DIR            what must survive a reboot: images, containers, the database (/var/lib/condenser)
  --run DIR             what need not: sockets, bundles, namespaces (/run/condenser)
  --socket FILE         the API's unix socket (<run>/condenser.sock)
  --listen ADDRESS      host:port of the API over TLS, for holders of a client certificate; or none (127.0.0.1:7755)
  --cert-dir DIR        the certificates, made where there are none (/etc/raind/cert)
  --config FILE         YAML file with the same names and more (/etc/condenser/config.yaml, if it is there)
  --bridge NAME         link name of the default network's bridge (raind0)
  --subnet CIDR         where networks take their addresses from (10.166.0.0/16)
  --service-subnet CIDR where Services get their addresses from; nothing else may use it (10.167.0.0/16)
  --runtime NAME        auto, crun or runc (auto)
  --cgroup-parent PATH  below which the containers' cgroups are made (/condenser)
  --log-level LEVEL     debug, info, warn or error (info)
  --help, --version

What a flag says goes before what the file says. Two daemons live side by side if root, run, listen, bridge and both subnets differ.
`

/** What was given on the command line, unchecked; what was not is absent. */
export interface Flags {
  readonly help?: boolean
  readonly version?: boolean
  readonly config?: string
  readonly root?: string
  readonly run?: string
  readonly socket?: string
  readonly listen?: string
  readonly certDir?: string
  readonly bridge?: string
  readonly subnet?: string
  readonly serviceSubnet?: string
  readonly runtime?: string
  readonly cgroupParent?: string
  readonly logLevel?: string
}

/** @throws {StatusError} `invalid_argument` for a flag that is not known, or has no value */
export function parseFlags(args: readonly string[]): Flags {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const options = {
    help: { ...flag, short: 'h' },
    version: flag,
    config: text,
    root: text,
    run: text,
    socket: text,
    listen: text,
    'cert-dir': text,
    bridge: text,
    subnet: text,
    'service-subnet': text,
    runtime: text,
    'cgroup-parent': text,
    'log-level': text,
  }
  try {
    const { values } = parseArgs({ args: [...args], options, allowPositionals: false })
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [camelCase(name), value]))
  } catch (error) {
    throw new StatusError('invalid_argument', `${messageOf(error)}; see condenser --help`)
  }
}

/** As the configuration file spells it. */
function camelCase(name: string): string {
  return name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}
