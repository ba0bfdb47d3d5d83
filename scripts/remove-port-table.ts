/**
 * Takes away the table of a bridge's published ports, if it is there: for a host that its daemon leaves for good.
 *
 *   scripts/node.sh scripts/remove-port-table.ts raind0
 */
import { replacePorts } from '../src/network/firewall-ops.ts'

const bridge = process.argv[2]
if (bridge === undefined) {
  console.error('usage: remove-port-table.ts BRIDGE')
  process.exit(2)
}
replacePorts({ tables: [], retired: [{ bridge, family: 4 }] })
