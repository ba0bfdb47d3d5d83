import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ageOf, binaryBytes, bytes, duration, shortCommand, shortDuration, shortRepository } from './format.ts'

test('duration() speaks as docker does', () => {
  const seconds = (count: number) => duration(count * 1000)
  assert.equal(seconds(0.5), 'Less than a second')
  assert.equal(seconds(1), '1 second')
  assert.equal(seconds(59), '59 seconds')
  assert.equal(seconds(60), 'About a minute')
  assert.equal(seconds(3599), '59 minutes')
  assert.equal(seconds(3600), 'About an hour')
  assert.equal(seconds(47 * 3600), '47 hours')
  assert.equal(seconds(3 * 86_400), '3 days')
  assert.equal(seconds(21 * 86_400), '3 weeks')
  assert.equal(seconds(90 * 86_400), '3 months')
  assert.equal(seconds(800 * 86_400), '2 years')
})

test('shortDuration() speaks as kubectl does', () => {
  const [minute, hour, day, year] = [60, 3600, 86_400, 31_536_000]
  const seconds = (count: number) => shortDuration(count * 1000)
  assert.equal(seconds(-1), '0s')
  assert.equal(seconds(119.9), '119s')
  assert.equal(seconds(2 * minute), '2m')
  assert.equal(seconds(9 * minute + 59), '9m59s')
  assert.equal(seconds(10 * minute + 59), '10m')
  assert.equal(seconds(3 * hour - 1), '179m')
  assert.equal(seconds(3 * hour), '3h')
  assert.equal(seconds(8 * hour - 1), '7h59m')
  assert.equal(seconds(8 * hour + 59 * minute), '8h')
  assert.equal(seconds(2 * day - 1), '47h')
  assert.equal(seconds(2 * day + 3 * hour), '2d3h')
  assert.equal(seconds(8 * day + 3 * hour), '8d')
  assert.equal(seconds(2 * year - 1), '729d')
  assert.equal(seconds(2 * year + 3 * day), '2y3d')
  assert.equal(seconds(8 * year + 3 * day), '8y')
  assert.equal(ageOf('2025-01-01T00:00:00Z', Date.parse('2025-01-01T00:05:01Z')), '5m1s')
  assert.equal(ageOf(undefined, 0), '<unknown>')
})

test('bytes() has three digits and a decimal unit', () => {
  assert.equal(bytes(0), '0B')
  assert.equal(bytes(999), '999B')
  assert.equal(bytes(7_661_234), '7.66MB')
  assert.equal(bytes(1_000_000_000), '1GB')
})

test('binaryBytes() has four digits and a unit of 1024', () => {
  assert.equal(binaryBytes(0), '0B')
  assert.equal(binaryBytes(1023), '1023B')
  assert.equal(binaryBytes(67_108_864), '64MiB')
  assert.equal(binaryBytes(24_600_000), '23.46MiB')
})

test('shortCommand() cuts at twenty characters', () => {
  assert.equal(shortCommand(['nginx', '-g', 'daemon off;']), '"nginx -g daemon off;"')
  assert.equal(shortCommand(['/docker-entrypoint.sh', 'x']), '"/docker-entrypoint.s…"')
  assert.equal(shortCommand(null), '""')
})

test('shortRepository() hides the default namespace only', () => {
  assert.equal(shortRepository('library/nginx'), 'nginx')
  assert.equal(shortRepository('me/nginx'), 'me/nginx')
})
