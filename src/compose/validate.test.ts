import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sentenceOf } from './faults.ts'
import { readTrees } from './read-yaml.ts'
import { schemaFaults } from './validate.ts'

const faultsOf = (text: string) => schemaFaults(readTrees(text, 'compose.yaml')[0]!).map(sentenceOf)

test('what the schema admits has no faults', () => {
  const text = `
services:
  web:
    image: nginx
    command: [a, b]
    environment: {A: 1, B: null, __proto__: x}
    ports: [80, "8080:80", {target: 80}]
    networks: {front: {aliases: [a]}, back: null}
    x-own: [1, {a: b}]
networks: {front: null, back: {driver: bridge}}
x-anything: {at: all}
`
  assert.deepEqual(faultsOf(text), [])
})

test('faults are told for people, with their lines', () => {
  const text = `services:
  web:
    imagee: nginx
    command: [sleep, 10]
    ports:
      - "80:80"
      - []
      - {target: 80, publish: 8080}
    depends_on:
      db: {condition: service_ready}
      cache: {}
    tty: 5
    cap_add: [A, A]
    oom_score_adj: 5000
    environment: 7
    ulimits: {nofile: {soft: 1}}
    volumes: [{type: bin, source: /a, target: /b}]
network: {}
`
  assert.deepEqual(faultsOf(text), [
    'compose.yaml, line 3: services.web.imagee is unknown; did you mean "image"?',
    'compose.yaml, line 4: services.web.command[1] must be a text, not 10; put it in quotes',
    'compose.yaml, line 7: services.web.ports[1] must be a number, a text or an object, not a list',
    'compose.yaml, line 8: services.web.ports[2].publish is unknown; did you mean "published"?',
    'compose.yaml, line 10: services.web.depends_on.db.condition must be one of service_started, service_healthy, service_completed_successfully, not "service_ready"',
    'compose.yaml, line 11: services.web.depends_on.cache needs "condition"',
    'compose.yaml, line 12: services.web.tty must be true or false or a text, not 5',
    'compose.yaml, line 13: services.web.cap_add has the same item twice: "A"',
    'compose.yaml, line 14: services.web.oom_score_adj must be at most 1000, not 5000',
    'compose.yaml, line 15: services.web.environment must be an object or a list, not 7',
    'compose.yaml, line 16: services.web.ulimits.nofile needs "hard"',
    'compose.yaml, line 17: services.web.volumes[0].type must be one of bind, volume, tmpfs, cluster, npipe, image, not "bin"',
    'compose.yaml, line 18: network is unknown; did you mean "networks"?',
  ])
})

test('names that are none', () => {
  assert.deepEqual(faultsOf('services: {"a b": {image: x}, "": {image: y}}\n'), [
    'compose.yaml, line 1: services.a b is not a name: use letters, digits, ".", "_" and "-"',
    'compose.yaml, line 1: services has an empty name',
  ])
  assert.deepEqual(faultsOf('__proto__: {a: 1}\nconstructor: 1\n'), [
    'compose.yaml, line 1: __proto__ is unknown',
    'compose.yaml, line 2: constructor is unknown',
  ])
})

test('of a part what is missing may come from another file', () => {
  const [tree] = readTrees('services: {web: {depends_on: {db: {}}, ulimits: {nofile: {soft: 1}}, tty: 5}}', 'b.yaml')
  assert.deepEqual(schemaFaults(tree!, { isPart: true }).map(sentenceOf), [
    'b.yaml, line 1: services.web.tty must be true or false or a text, not 5',
  ])
})
