import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CREATED,
  sampleConfigMap,
  sampleNamespace,
  samplePod,
  sampleReplicaSet,
  sampleSecret,
  sampleService,
  sampleStatus,
} from '../../../../test/support/kube-samples.ts'
import type { WirePodContainer } from '../../../api/raind/index.ts'
import { describeConfigMap, describeNamespace, describeSecret } from './data.ts'
import { eventsText } from './events.ts'
import { describePod } from './pod.ts'
import { describeReplicaSet } from './replica-set.ts'
import { describeService } from './service.ts'

const NOW = Date.parse(CREATED) + 300_000

const APP: WirePodContainer = {
  name: 'app',
  image: 'busybox',
  command: ['sh', '-c'],
  args: ['sleep 1'],
  ports: [
    { containerPort: 80, name: 'http' },
    { containerPort: 53, hostPort: 5353, protocol: 'UDP' },
  ],
  resources: { limits: { memory: '64Mi', cpu: 1 } },
  livenessProbe: { httpGet: { port: 80, path: '/ok' }, initialDelaySeconds: 3 },
  readinessProbe: { exec: { command: ['cat', '/x'] }, timeoutSeconds: 2 },
  startupProbe: { tcpSocket: { port: 'http' } },
  envFrom: [{ prefix: 'P_', configMapRef: { name: 'settings' } }, { secretRef: { name: 'keys', optional: true } }],
  env: [
    { name: 'PLAIN', value: 'x' },
    { name: 'HOST', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } },
    { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
    { name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'k' } } },
    { name: 'SET', valueFrom: { configMapKeyRef: { name: 'settings', key: 's', optional: true } } },
  ],
  volumeMounts: [
    { name: 'tmp', mountPath: '/tmp' },
    { name: 'conf', mountPath: '/etc/app', readOnly: true, subPath: 'a' },
  ],
}

test('a pod', () => {
  const terminated = { exitCode: 137, reason: 'OOMKilled', startedAt: CREATED, finishedAt: '2025-01-31T12:00:10Z' }
  const text = describePod(
    samplePod({
      metadata: {
        annotations: { a: '1', b: '2' },
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u', controller: true }],
      },
      spec: {
        containers: [APP],
        volumes: [
          { name: 'tmp', emptyDir: {} },
          { name: 'conf', configMap: { name: 'settings' } },
        ],
      },
      status: {
        phase: 'Running',
        startTime: CREATED,
        podIP: '10.88.0.5',
        podIPs: [{ ip: '10.88.0.5' }],
        qosClass: 'Burstable',
        conditions: [{ type: 'Ready', status: 'False' }],
        containerStatuses: [
          sampleStatus({
            state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } },
            lastState: { terminated },
            ready: false,
            restartCount: 2,
          }),
        ],
      },
    }),
    NOW,
  )
  const expected = `Name:           web
Namespace:      default
Start Time:     Fri, 31 Jan 2025 12:00:00 +0000
Labels:         app=web
Annotations:    a: 1
                b: 2
Status:         Running
IP:             10.88.0.5
IPs:
  IP:  10.88.0.5
Controlled By:  ReplicaSet/web
Containers:
  app:
    Container ID:   condenser://c0ffee
    Image:          busybox
    Image ID:       sha256:1
    Ports:          80/TCP (http), 53/UDP
    Host Ports:     0/TCP, 5353/UDP
    Command:
      sh
      -c
    Args:
      sleep 1
    State:          Waiting
      Reason:       CrashLoopBackOff
      Message:      back-off 10s
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
      Started:      Fri, 31 Jan 2025 12:00:00 +0000
      Finished:     Fri, 31 Jan 2025 12:00:10 +0000
    Ready:          False
    Restart Count:  2
    Limits:
      cpu:     1
      memory:  64Mi
    Liveness:       http-get http://:80/ok delay=3s timeout=1s period=10s #success=1 #failure=3
    Readiness:      exec [cat /x] delay=0s timeout=2s period=10s #success=1 #failure=3
    Startup:        tcp-socket :http delay=0s timeout=1s period=10s #success=1 #failure=3
    Environment Variables from:
      settings:  ConfigMap with prefix 'P_'  Optional: false
      keys:      Secret  Optional: true
    Environment:
      PLAIN:  x
      HOST:   (v1:status.hostIP)
      CPU:    (limits.cpu)
      KEY:    <set to the key 'k' in secret 'keys'>  Optional: false
      SET:    <set to the key 's' of config map 'settings'>  Optional: true
    Mounts:
      /etc/app from conf (ro,path="a")
      /tmp from tmp (rw)
Conditions:
  Type   Status
  Ready  False
Volumes:
  tmp:
    Type:       EmptyDir (a temporary directory that shares a pod's lifetime)
    Medium:
    SizeLimit:  <unset>
  conf:
    Type:      ConfigMap (a volume populated by a ConfigMap)
    Name:      settings
    Optional:  false
QoS Class:      Burstable
`
  assert.equal(text, expected)
})

test('a pod that goes, and one that a user has stopped', () => {
  const going = describePod(
    samplePod({ metadata: { deletionTimestamp: '2025-01-31T12:04:00Z', deletionGracePeriodSeconds: 30 } }),
    NOW,
  )
  assert.match(going, /^Status: +Terminating \(lasts 60s\)\nTermination Grace Period: +30s$/m)
  const status = { phase: 'Pending', reason: 'Stopped', message: 'A user has stopped the pod' } as const
  assert.match(
    describePod(samplePod({ status }), NOW),
    /^Status: +Pending\nReason: +Stopped\nMessage: +A user has stopped the pod\n/m,
  )
})

test('a replica set counts its own pods by their phases', () => {
  const ownerReferences = [
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'uid-of-set', controller: true },
  ]
  const pods = [
    samplePod({ metadata: { ownerReferences } }),
    samplePod({ metadata: { ownerReferences }, status: { phase: 'Pending' } }),
    samplePod(),
  ]
  const text = describeReplicaSet(sampleReplicaSet(), pods)
  assert.match(text, /^Selector: +app=web$/m)
  assert.match(text, /^Replicas: +2 current \/ 3 desired$/m)
  assert.match(text, /^Pods Status: +1 Running \/ 1 Waiting \/ 0 Succeeded \/ 0 Failed$/m)
  assert.match(text, /^Pod Template:\n {2}Labels: +app=web\n/m)
  assert.match(text, /^ {4}log:\n {6}Image: +alpine\n/m)
  assert.doesNotMatch(text, /Restart Count/)
})

test('a service tells where it leads: ready pods, by the number or the name of a port', () => {
  const pod = (ip: string, changes: object = {}) =>
    samplePod({
      metadata: changes,
      spec: { containers: [{ name: 'app', ports: [{ name: 'http', containerPort: 8080 }] }] },
      status: { phase: 'Running', podIP: ip, conditions: [{ type: 'Ready', status: 'True' }] },
    })
  const unready = samplePod({ status: { phase: 'Running', podIP: '10.88.0.9' } })
  const pods = [pod('10.88.0.1'), unready, pod('10.88.0.2', { deletionTimestamp: CREATED }), pod('10.88.0.3')]
  const service = sampleService({
    clusterIP: '10.96.0.9',
    clusterIPs: ['10.96.0.9'],
    type: 'NodePort',
    selector: { app: 'web' },
    ports: [
      { name: 'web', port: 80, targetPort: 'http', nodePort: 30080 },
      { port: 53, protocol: 'UDP' },
    ],
  })
  const text = describeService(service, pods)
  assert.match(text, /^Port: +web {2}80\/TCP\nTargetPort: +http\/TCP\nNodePort: +web {2}30080\/TCP\n/m)
  assert.match(text, /^Endpoints: +10\.88\.0\.1:8080,10\.88\.0\.3:8080$/m)
  assert.match(text, /^Port: +<unset> {2}53\/UDP\nTargetPort: +53\/UDP\nEndpoints: +10\.88\.0\.1:53,10\.88\.0\.3:53\n/m)
  const many = describeService(
    service,
    Array.from({ length: 5 }, (_, index) => pod(`10.88.1.${index}`)),
  )
  assert.match(many, /10\.88\.1\.2:8080 \+ 2 more\.\.\.$/m)
  assert.match(describeService(service, []), /^Endpoints: +<none>$/m)
})

test('config maps with their values, secrets without, and namespaces', () => {
  const map = describeConfigMap(sampleConfigMap({ data: { b: 'two\nlines', a: 'one' }, binaryData: { c: 'AAAA' } }))
  assert.match(map, /\nData\n====\na:\n----\none\n\nb:\n----\ntwo\nlines\n\n\nBinaryData\n====\nc: {2}3 bytes\n\n$/)
  const secret = describeSecret(sampleSecret({ password: Buffer.from('hunter2').toString('base64') }))
  assert.match(secret, /Type: +Opaque\n\nData\n====\npassword: {2}7 bytes\n\n$/)
  assert.match(
    describeNamespace(sampleNamespace()),
    /^Name: +team\nLabels: +app=team\nAnnotations: +<none>\nStatus: +Active\n$/,
  )
})

test('events: the same again is one line', () => {
  const at = (minute: number, reason: string, message: string) => {
    return { type: 'Normal', reason, message, time: new Date(Date.parse(CREATED) + minute * 60_000).toISOString() }
  }
  const events = [at(0, 'Pulled', 'image'), at(1, 'Started', 'app'), at(2, 'BackOff', 'later'), at(4, 'Started', 'app')]
  const expected = `Events:
  Type    Reason   Age               Message
  ----    ------   ---               -------
  Normal  Pulled   5m                image
  Normal  BackOff  3m                later
  Normal  Started  60s (x2 over 4m)  app
`
  assert.equal(eventsText(events, NOW), expected)
  assert.equal(eventsText([], NOW), 'Events:  <none>\n')
})
