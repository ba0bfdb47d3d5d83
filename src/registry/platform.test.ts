import assert from 'node:assert/strict'
import { test } from 'node:test'
import { completePlatform, formatPlatform, selectPlatform } from './platform.ts'

function select(wanted: string, offered: readonly string[]): string | undefined {
  const parse = (text: string) => {
    const [os, architecture, variant] = text.split('/')
    return { os: os!, architecture: architecture!, ...(variant && { variant }) }
  }
  const items = offered.map((text) => ({ text, ...(text !== 'any' && { platform: parse(text) }) }))
  return selectPlatform(items, parse(wanted))?.text
}

test('the nearest variant is selected, as containerd does', () => {
  const arms = ['linux/arm/v5', 'linux/arm/v6', 'linux/arm/v7', 'linux/arm64/v8']
  assert.equal(select('linux/arm/v7', arms), 'linux/arm/v7')
  assert.equal(select('linux/arm', arms), 'linux/arm/v7')
  assert.equal(select('linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6']), 'linux/arm/v6')
  assert.equal(select('linux/arm/v6', ['linux/arm/v7', 'linux/arm/v5']), 'linux/arm/v5')
  assert.equal(select('linux/arm/v5', ['linux/arm/v6', 'linux/arm/v7']), undefined)
  assert.equal(select('linux/arm64', arms), 'linux/arm64/v8')
  assert.equal(select('linux/arm64/v8', ['linux/arm64']), 'linux/arm64')
  assert.equal(select('linux/arm64/v9', ['linux/arm64']), 'linux/arm64')
  assert.equal(select('linux/arm64', ['linux/arm/v6', 'linux/arm/v7']), 'linux/arm/v7')
  const amd64s = ['linux/amd64', 'linux/amd64/v2', 'linux/amd64/v3']
  assert.equal(select('linux/amd64', amd64s), 'linux/amd64')
  assert.equal(select('linux/amd64/v1', amd64s), 'linux/amd64')
  assert.equal(select('linux/amd64/v2', amd64s), 'linux/amd64/v2')
  assert.equal(select('linux/amd64/v3', ['linux/amd64', 'linux/amd64/v2']), 'linux/amd64/v2')
  assert.equal(select('linux/amd64/v4', ['linux/amd64']), 'linux/amd64')
  assert.equal(select('linux/amd64', ['linux/amd64/v2']), undefined)
  assert.equal(select('linux/amd64', ['linux/386']), 'linux/386')
})

test('the first of equals is selected, and what says nothing comes last', () => {
  assert.equal(select('linux/s390x', ['windows/s390x', 'linux/s390x', 'linux/s390x/z']), 'linux/s390x')
  assert.equal(select('linux/amd64', ['any', 'linux/x86_64']), 'linux/x86_64')
  assert.equal(select('linux/amd64', ['unknown/unknown', 'any']), 'any')
  assert.equal(select('linux/amd64', ['unknown/unknown']), undefined)
})

test('what is not asked for is the host, in the spelling of images', () => {
  assert.equal(formatPlatform(completePlatform({ architecture: 'aarch64' })), 'linux/arm64')
  assert.equal(formatPlatform(completePlatform({ architecture: 'armhf' })), 'linux/arm/v7')
  assert.equal(formatPlatform(completePlatform({ architecture: 'arm', variant: '6' })), 'linux/arm/v6')
  assert.equal(completePlatform({}).os, 'linux')
})
