import type { KernelOps } from '../linux/kernel-thread.ts'
import * as firewallOps from './firewall-ops.ts'
import * as inspectOps from './inspect-ops.ts'
import { assertHasIpv6 } from './ipv6-sysctls.ts'
import * as ops from './ops.ts'
import { forgetStaleFlows } from './services/service-flows.ts'
import * as serviceOps from './services/service-ops.ts'

/** What the kernel thread does for the driver. */
export const networkOps: KernelOps = {
  'network.loadBridgeNetfilter': ops.loadBridgeNetfilter,
  'network.ensureBridge': ops.ensureBridge,
  'network.removeBridge': ops.removeBridge,
  'network.setUp': ops.setUp,
  'network.syncLinks': ops.syncLinks,
  'network.tearDown': ops.tearDown,
  'network.hostSubnets': ops.hostSubnets,
  'network.hostRoutes': ops.hostRoutes,
  'network.linkExists': ops.linkExists,
  'network.rebindNetns': ops.rebindNetns,
  'network.inspect': inspectOps.inspectSandbox,
  'network.inspectBridge': inspectOps.inspectBridge,
  'network.inspectPorts': inspectOps.inspectPorts,
  'network.strayPorts': inspectOps.strayPorts,
  'network.removePort': ops.removePort,
  'network.changePorts': firewallOps.changePorts,
  'network.replacePorts': firewallOps.replacePorts,
  'network.ruleHandles': firewallOps.ruleHandles,
  'network.tryIpv6Table': firewallOps.tryIpv6Table,
  'network.assertHasIpv6': assertHasIpv6,
  'network.forgetFlowsToHost': ops.forgetFlowsToHost,
  'network.forgetFlowsToContainer': ops.forgetFlowsToContainer,
  'network.rulesGeneration': serviceOps.rulesGeneration,
  'network.chainUses': serviceOps.chainUses,
  'network.routeServices': serviceOps.routeServices,
  'network.forgetStaleFlows': forgetStaleFlows,
}
