import assert from 'node:assert/strict'
import { test } from 'node:test'
import { binaryBytes, bytes, duration, shortCommand, shortRepository } from './format.ts'

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
