import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Command, parseCommandLine } from './command.ts'
import { createBody } from './commands/create-flags.ts'
import { run } from './commands/run.ts'
import { CliError } from './errors.ts'

const stop: Command = {
  names: ['container stop', 'stop'],
  summary: 'Stop',
  usage: 'CONTAINER...',
  flags: { time: { type: 'string', short: 't', help: '' } },
  minArgs: 1,
  maxArgs: 2,
  async run() {},
}

test('flags may stand anywhere where no command follows', () => {
  const { flags, args } = parseCommandLine(stop, ['web', '--time', '3', 'db', '--json'])
  assert.deepEqual(args, ['web', 'db'])
  assert.equal(flags.number('time'), 3)
  assert.equal(flags.is('json'), true)
})

test('what follows the image belongs to the container', () => {
  const words = ['-itp', '8080:80', '--name=web', '-e', 'A=1', '--rm', 'img', 'sh', '-c', 'ls --json', '--rm']
  const { flags, args } = parseCommandLine(run, words)
  assert.deepEqual(args, ['img', 'sh', '-c', 'ls --json', '--rm'])
  assert.equal(flags.is('json'), false)
  assert.deepEqual(createBody(flags, args), {
    image: 'img',
    name: 'web',
    args: ['sh', '-c', 'ls --json', '--rm'],
    port: ['8080:80'],
    env: ['A=1'],
    tty: true,
    openStdin: true,
    stdinOnce: true,
    autoRemove: true,
  })
})

test('-- ends the flags and is not an argument', () => {
  assert.deepEqual(parseCommandLine(run, ['--', '-weird']).args, ['-weird'])
  assert.deepEqual(parseCommandLine(run, ['-p8080:80', 'img', '--', 'x']).args, ['img', '--', 'x'])
})

test("an empty entrypoint takes the image's away", () => {
  const { flags, args } = parseCommandLine(run, ['--entrypoint=', 'img', 'x'])
  assert.deepEqual(createBody(flags, args), { image: 'img', args: ['x'], entrypoint: [] })
})

test('an unknown flag is named, with what is near', () => {
  assert.throws(
    () => parseCommandLine(run, ['--publich', '80:80', 'img']),
    (error) => error instanceof CliError && /Unknown flag --publich; did you mean --publish\?/.test(error.message),
  )
})

test('too few and too many arguments, and a number that is none', () => {
  assert.throws(() => parseCommandLine(stop, []), /wants an argument/)
  assert.throws(() => parseCommandLine(stop, ['a', 'b', 'c']), /takes no argument "c"/)
  assert.throws(() => parseCommandLine(stop, ['a', '-t', 'soon']).flags.number('time'), /wants a number/)
})

test('a number below zero is the value of the flag before it', () => {
  const { flags, args } = parseCommandLine(run, ['--memory-swap', '-1', '--oom-score-adj', '-500', 'img', '-1'])
  assert.deepEqual(createBody(flags, args), { image: 'img', args: ['-1'], memorySwap: '-1', oomScoreAdj: -500 })
})

const exec: Command = {
  names: ['exec'],
  summary: 'Run',
  usage: 'CONTAINER COMMAND...',
  flags: {
    container: { type: 'string', short: 'c', help: '' },
    tty: { type: 'boolean', short: 't', help: '' },
  },
  flagsFirst: true,
  flagsUntilDashes: true,
  async run() {},
}

test('flags may stand between the first argument and a -- where a command allows it', () => {
  const { flags, args } = parseCommandLine(exec, ['pod/web', '-c', 'app', '-t', '--', 'ls', '-c', '--', 'x'])
  assert.deepEqual(args, ['pod/web', 'ls', '-c', '--', 'x'])
  assert.equal(flags.text('container'), 'app')
  assert.equal(flags.is('tty'), true)
  assert.deepEqual(parseCommandLine(exec, ['web', '--', 'ls', '-t']).args, ['web', 'ls', '-t'])
  assert.deepEqual(parseCommandLine(exec, ['-t', 'web', 'sh', '-c', 'x', '--', 'y']).args, [
    ...['web', 'sh', '-c', 'x', '--', 'y'],
  ])
})

test('a flag with an implied value does not take the next word', () => {
  const apply: Command = {
    ...stop,
    flags: { wait: { type: 'string', implied: 'true', help: '' }, force: { type: 'boolean', help: '' } },
  }
  const read = (...words: string[]) => {
    const { flags, args } = parseCommandLine(apply, words)
    return [flags.text('wait'), ...args]
  }
  assert.deepEqual(read('web'), [undefined, 'web'])
  assert.deepEqual(read('--wait', 'web'), ['true', 'web'])
  assert.deepEqual(read('--wait=false', 'web'), ['false', 'web'])
  assert.deepEqual(read('--force', 'web', '--wait'), ['true', 'web'])
  assert.deepEqual(read('web', '--', '--wait'), [undefined, 'web', '--wait'])
})
