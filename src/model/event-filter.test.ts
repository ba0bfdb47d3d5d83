import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event } from './event.ts'
import { parseEventFilter } from './event-filter.ts'

const uid = 'c0ffee12'.padEnd(64, '0')
const die: Event = {
  sequence: 1,
  timeNs: 1n,
  kind: 'Container',
  action: 'die',
  uid,
  name: 'web',
  attributes: { image: 'docker.io/library/nginx:1.27', exitCode: '0', tier: 'front' },
}
const pull: Event = {
  ...die,
  kind: 'Image',
  action: 'pull',
  uid: 'i1',
  name: 'registry.example:5000/team/app:2',
  attributes: { imageId: 'sha256:1' },
}

test('parseEventFilter(): any of one key, all of different keys', () => {
  for (const [event, filters, fits] of [
    [die, [], true],
    [die, ['type=container'], true],
    [die, ['type=image'], false],
    [die, ['type=image', 'type=container'], true],
    [die, ['type=container', 'event=start'], false],
    [die, ['event=start', 'event=die', 'container=web'], true],
    [die, ['container=c0ffee'], true],
    [die, ['container=c0f'], false],
    [die, ['container=we'], false],
    [die, ['image=nginx'], true],
    [die, ['image=nginx:1.27'], true],
    [die, ['image=nginx:1'], false],
    [die, ['image=ginx'], false],
    [die, ['image=docker.io/library/nginx:1.27'], true],
    [die, ['label=tier'], true],
    [die, ['label=tier=front'], true],
    [die, ['label=tier=back'], false],
    [die, ['label=toString'], false],
    [die, ['network=web'], false],
    [pull, ['image=app'], true],
    [pull, ['image=team/app:2'], true],
    [pull, ['image=sha256:1'], true],
    [pull, ['container=i1'], false],
  ] as const)
    assert.equal(parseEventFilter(filters)(event), fits, `${event.kind} ${filters}`)
})

test('parseEventFilter() names what it does not know', () => {
  for (const text of ['nope=1', 'type', '', '=x', 'toString=x'])
    assert.throws(() => parseEventFilter([text]), { code: 'invalid_argument', message: /keys: type, event/ })
})
