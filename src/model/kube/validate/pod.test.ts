import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkFaults, faultsOf, OK } from '../../../../test/support/check-manifests.ts'

const template = { containers: [{ name: 'web', image: 'nginx' }] }
const pod = (spec: object) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web' },
  spec: { ...template, ...spec },
})
const container = (fields: object) => pod({ containers: [{ name: 'web', image: 'nginx', ...fields }] })
const init = (fields: object) => pod({ initContainers: [{ name: 'init', image: 'nginx', ...fields }] })

test('containers', () => {
  checkFaults(pod, [
    [{ containers: [] }, '"spec.containers" must have at least one container'],
    [
      { containers: [template.containers[0], template.containers[0]] },
      '"spec.containers[1].name" repeats "spec.containers[0].name"',
    ],
    [{ initContainers: [template.containers[0]] }, '"spec.containers[0].name" repeats "spec.initContainers[0].name"'],
  ])
  checkFaults(container, [
    [{ name: 'a.b' }, /"spec.containers\[0\].name" must be made/],
    [{ image: '' }, '"spec.containers[0].image" is missing'],
    [{ image: ' nginx' }, /must not begin or end with a space/],
    [{ restartPolicy: 'Always' }, '"spec.containers[0].restartPolicy" is for init containers only'],
  ])
  checkFaults(init, [
    [{}, OK],
    [{ restartPolicy: 'Always', startupProbe: { exec: { command: ['true'] } } }, OK],
    [{ restartPolicy: 'Never' }, '"spec.initContainers[0].restartPolicy" may only be Always: a sidecar'],
    [{ livenessProbe: { exec: { command: ['true'] } } }, /livenessProbe" is only for init containers with/],
    [{ lifecycle: {} }, /lifecycle" is only for init containers with/],
  ])
})

test('ports', () => {
  checkFaults(container, [
    [{ ports: [{ containerPort: 80, name: 'http', hostIP: '127.0.0.1' }] }, OK],
    [{ ports: [{ containerPort: 0 }] }, /containerPort" must be at least 1/],
    [{ ports: [{ containerPort: 70_000 }] }, /containerPort" must be at most 65535/],
    [{ ports: [{ containerPort: 80, name: 'a-name-of-16-char' }] }, /may have at most 15/],
    [{ ports: [{ containerPort: 80, name: '80' }] }, /must have at least one letter/],
    [{ ports: [{ containerPort: 80, name: 'a--b' }] }, /must not have "--"/],
    [{ ports: [{ containerPort: 80, hostIP: 'host' }] }, /hostIP" must be an IP address/],
    [
      {
        ports: [
          { containerPort: 80, name: 'a' },
          { containerPort: 81, name: 'a' },
        ],
      },
      '"spec.containers[0].ports[1].name" repeats "spec.containers[0].ports[0].name"',
    ],
    [
      {
        ports: [
          { containerPort: 80, hostPort: 80 },
          { containerPort: 81, hostPort: 80 },
        ],
      },
      '"spec.containers[0].ports[1].hostPort" repeats "spec.containers[0].ports[0].hostPort"',
    ],
    [
      {
        ports: [
          { containerPort: 80, hostPort: 80 },
          { containerPort: 81, hostPort: 80, protocol: 'UDP' },
        ],
      },
      OK,
    ],
  ])
  const onHost = (ports: object[]) => pod({ hostNetwork: true, containers: [{ name: 'a', image: 'b', ports }] })
  assert.equal(faultsOf(onHost([{ containerPort: 80 }, { containerPort: 81, hostPort: 81 }])), OK)
  assert.equal(
    faultsOf(onHost([{ containerPort: 80, hostPort: 81 }])),
    '"spec.containers[0].ports[0].hostPort" must be 80, as containerPort, with hostNetwork',
  )
})

test('probes and lifecycle', () => {
  const exec = { command: ['true'] }
  checkFaults(container, [
    [{ readinessProbe: { httpGet: { port: 'http' }, successThreshold: 3 } }, OK],
    [{ livenessProbe: {} }, '"spec.containers[0].livenessProbe" must have one of exec, httpGet, tcpSocket, grpc'],
    [{ livenessProbe: { exec, tcpSocket: { port: 80 } } }, /may have only one of exec, tcpSocket/],
    [{ livenessProbe: { exec: {} } }, /exec.command" must not be empty/],
    [{ livenessProbe: { exec, successThreshold: 2 } }, /successThreshold" must be 1, not 2/],
    [{ startupProbe: { exec, successThreshold: 2 } }, /successThreshold" must be 1, not 2/],
    [{ readinessProbe: { exec, periodSeconds: -1 } }, /periodSeconds" must be at least 0/],
    [{ readinessProbe: { exec, terminationGracePeriodSeconds: 5 } }, /must be absent: this probe ends nothing/],
    [{ livenessProbe: { exec, terminationGracePeriodSeconds: 0 } }, /must be at least 1/],
    [{ livenessProbe: { tcpSocket: { port: 0 } } }, /tcpSocket.port" must be from 1 to 65535/],
    [{ livenessProbe: { httpGet: { port: 'HTTP' } } }, /httpGet.port" must be made/],
    [{ livenessProbe: { httpGet: { port: 80, httpHeaders: [{ name: 'a b', value: '' }] } } }, /header/],
    [{ lifecycle: { preStop: { sleep: { seconds: 30 } }, postStart: { exec } } }, OK],
    [{ lifecycle: { preStop: {} } }, /preStop" must have one of exec, httpGet, tcpSocket, sleep/],
    [{ lifecycle: { preStop: { sleep: { seconds: 31 } } } }, /must be from 0 to .*, 30, not 31/],
  ])
})

test('environment', () => {
  const env = (...env: object[]) => container({ env })
  checkFaults(env, [
    [{ name: 'A b.c', value: '' }, OK],
    [{ name: '' }, /env\[0\].name" must not be empty/],
    [{ name: 'A=B' }, /env\[0\].name" must be made of printable ASCII/],
    [
      { name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      /must be absent where there is a value/,
    ],
    [{ name: 'A', valueFrom: {} }, /must have one of fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef/],
    [{ name: 'A', valueFrom: { fieldRef: { fieldPath: "metadata.labels['example.com/a']" } } }, OK],
    [{ name: 'A', valueFrom: { fieldRef: { fieldPath: "metadata.labels['a b']" } } }, /fieldPath" must be made/],
    [
      { name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.hostname' } } },
      /fieldPath" must be one of metadata.name,/,
    ],
    [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.labels' } } }, /fieldPath" must be one of/],
    [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } }, OK],
    [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } }, OK],
    [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1m' } } }, /divisor" must be/],
    [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.gpu' } } }, /resource" must be one of/],
    [{ name: 'A', valueFrom: { configMapKeyRef: { key: 'k' } } }, /configMapKeyRef.name" is missing/],
    [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: '../k' } } }, /secretKeyRef.key" must not be/],
  ])
  checkFaults(
    (source) => container({ envFrom: [source] }),
    [
      [{ prefix: 'P_', configMapRef: { name: 'c' } }, OK],
      [{ configMapRef: { name: 'c' }, secretRef: { name: 's' } }, /may have only one of/],
      [{ prefix: 'P' }, /must have one of configMapRef, secretRef/],
      [{ secretRef: {} }, /secretRef.name" is missing/],
    ],
  )
})

test('resources', () => {
  checkFaults(
    (resources) => container({ resources }),
    [
      [{ limits: { cpu: '500m', memory: '64Mi' }, requests: { cpu: 0.5 } }, OK],
      [{ limits: { cpu: 'much' } }, /limits.cpu" must be a quantity such as .*, not "much"/],
      [{ requests: { memory: '-1' } }, /requests.memory" must not be negative/],
      [
        { limits: { cpu: '1' }, requests: { cpu: '1001m' } },
        /requests.cpu" must not be more than its limit: 1001m > 1/,
      ],
      [{ limits: { 'nvidia.com/gpu': 1 } }, /nothing here gives out devices/],
      [{ limits: { 'nvidia.com/gpu': 0 } }, OK],
      [{ requests: { 'hugepages-2Mi': '2Mi' } }, /huge pages/],
      [{ requests: { mem: '2Mi' } }, /requests.mem" is unknown; known are cpu, memory/],
    ],
  )
})

test('volumes and mounts', () => {
  const volume = (source: object) => pod({ volumes: [{ name: 'v', ...source }] })
  checkFaults(volume, [
    [{}, OK],
    [{ emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }, OK],
    [{ emptyDir: { medium: '' } }, OK],
    [{ emptyDir: { sizeLimit: '-1' } }, /sizeLimit" must not be negative/],
    [{ emptyDir: {}, hostPath: { path: '/x' } }, /may have only one of emptyDir, hostPath/],
    [{ hostPath: { path: '/x', type: '' } }, OK],
    [{ hostPath: { path: 'x' } }, /hostPath.path" must be an absolute path/],
    [{ hostPath: { path: '/x/../y' } }, /hostPath.path" must not contain ".."/],
    [{ configMap: { name: 'c', items: [{ key: 'k', path: 'a/b', mode: 0o400 }] } }, OK],
    [{ configMap: {} }, /configMap.name" is missing/],
    [{ configMap: { name: 'c', items: [{ key: 'k', path: '../b' }] } }, /path" must not contain ".."/],
    [{ configMap: { name: 'c', items: [{ key: 'k', path: '..b' }] } }, /path" must not begin with ".."/],
    [{ configMap: { name: 'c', items: [{ key: 'k', path: '/b' }] } }, /path" must be a relative path/],
    [{ configMap: { name: 'c', defaultMode: 0o1000 } }, /defaultMode" must be at most 511/],
    [{ secret: {} }, /secret.secretName" is missing/],
    [{ name: 'a.b' }, /volumes\[0\].name" must be made/],
  ])
  assert.match(faultsOf(pod({ volumes: [{ name: 'v' }, { name: 'v' }] })), /volumes\[1\].name" repeats/)
  const mount = (...volumeMounts: object[]) =>
    pod({ volumes: [{ name: 'v' }], containers: [{ name: 'web', image: 'nginx', volumeMounts }] })
  checkFaults(mount, [
    [{ name: 'v', mountPath: '/x', subPath: 'a/b' }, OK],
    [{ name: 'w', mountPath: '/x' }, /name" names a volume that the pod does not have: "w"/],
    [{ name: 'v', mountPath: 'x' }, /mountPath" must be an absolute path/],
    [{ name: 'v', mountPath: '/x', subPath: '/a' }, /subPath" must be a relative path/],
    [{ name: 'v', mountPath: '/x', subPath: 'a/../..' }, /subPath" must not contain ".."/],
    [{ name: 'v', mountPath: '/x', mountPropagation: 'Bidirectional' }, /in a privileged container only/],
  ])
  assert.match(faultsOf(mount({ name: 'v', mountPath: '/x' }, { name: 'v', mountPath: '/x' })), /mountPath" repeats/)
})

test('security', () => {
  checkFaults(
    (securityContext) => container({ securityContext }),
    [
      [{ capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] } }, OK],
      [{ capabilities: { add: ['FLY'] } }, /capabilities.add\[0\]" is refused: Unknown capability "FLY"/],
      [{ privileged: true, allowPrivilegeEscalation: false }, /must not be false for a privileged container/],
      [{ capabilities: { add: ['SYS_ADMIN'] }, allowPrivilegeEscalation: false }, /with the capability SYS_ADMIN/],
      [{ runAsUser: -1 }, /runAsUser" must be at least 0/],
      [{ seccompProfile: { type: 'Localhost', localhostProfile: 'a/b.json' } }, OK],
      [{ seccompProfile: { type: 'Localhost' } }, /localhostProfile" is missing/],
      [{ seccompProfile: { type: 'Localhost', localhostProfile: '../x' } }, /localhostProfile" must not contain ".."/],
      [{ seccompProfile: { type: 'Unconfined', localhostProfile: 'x' } }, /must be absent with Unconfined/],
      [{ appArmorProfile: { type: 'Localhost', localhostProfile: 'any' } }, OK],
    ],
  )
  const sysctl = (name: string) => ({ securityContext: { sysctls: [{ name, value: '1' }] } })
  checkFaults(pod, [
    [sysctl('net.core.somaxconn'), OK],
    [sysctl('kernel/shm_rmid_forced'), OK],
    [sysctl('kernel/panic'), /sysctls\[0\].name" is refused: /],
    [sysctl('vm.swappiness'), /sysctls\[0\].name" is refused: /],
    [{ ...sysctl('net.core.somaxconn'), hostNetwork: true }, /would change the host's with hostNetwork/],
    [{ ...sysctl('net/core/somaxconn'), hostNetwork: true }, /would change the host's with hostNetwork/],
    [{ ...sysctl('kernel.shmmax'), hostIPC: true }, /would change the host's with hostIPC/],
  ])
})

test('the rest of a pod', () => {
  checkFaults(pod, [
    [{ hostname: 'a.b' }, /"spec.hostname" must be made/],
    [{ subdomain: 'A' }, /"spec.subdomain" must be made/],
    [{ hostAliases: [{ ip: '::1', hostnames: ['a.b'] }] }, OK],
    [{ hostAliases: [{ ip: 'x' }] }, /ip" must be an IP address/],
    [{ hostAliases: [{ ip: '::1', hostnames: ['a_b'] }] }, /hostnames\[0\]" must be made/],
    [{ imagePullSecrets: [{}] }, /imagePullSecrets\[0\].name" is missing/],
    [{ shareProcessNamespace: true, hostPID: true }, /must not be true together with hostPID/],
    [{ restartPolicy: 'Sometimes' }, /restartPolicy" must be one of Always, OnFailure, Never/],
    [{ activeDeadlineSeconds: 0 }, /must be at least 1/],
    [{ terminationGracePeriodSeconds: -1 }, OK],
    [{ dnsPolicy: 'None' }, /nameservers" must name at least one/],
    [{ dnsPolicy: 'None', dnsConfig: { nameservers: ['192.0.2.1'], searches: ['a.b.', '.'] } }, OK],
    [{ dnsConfig: { nameservers: ['1', '2', '3', '4'] } }, /may be at most 3/],
    [{ dnsConfig: { searches: ['a_b'] } }, /searches\[0\]" must be made/],
    [{ dnsConfig: { options: [{ value: '1' }] } }, /options\[0\].name" is missing/],
  ])
})
