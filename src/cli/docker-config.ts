import { promises as files } from 'node:fs'
import { dirname, join } from 'node:path'
import { isObject } from '../lib/is-object.ts'
import { CliError } from './errors.ts'

/** Credentials as the wire takes them. */
export interface Credentials {
  readonly username?: string
  readonly password?: string
  readonly identityToken?: string
}

type Json = Readonly<Record<string, unknown>>

const DOCKER_HUB = 'docker.io'
/** How docker calls Docker Hub in this file. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/'

/** The registry of an image's name: `docker.io` unless the first part has a dot or a colon or is `localhost`. */
export function registryOf(image: string): string {
  const first = image.includes('/') ? image.slice(0, image.indexOf('/')) : ''
  return /[.:]/.test(first) || first === 'localhost' ? canonical(first) : DOCKER_HUB
}

/** What is filed for a registry in docker's config.json, or in the credential helper that it names. */
export async function readCredentials(registry: string): Promise<Credentials | undefined> {
  const config = await readConfig()
  const helper = helperFor(config, registry)
  if (helper !== undefined) return await fromHelper(helper, registry)
  const entry = Object.entries(object(config['auths'])).find(([key]) => canonical(key) === canonical(registry))?.[1]
  return entry === undefined ? undefined : decode(object(entry))
}

/** Files credentials where docker would: in the helper if one is configured, else in config.json, for the user only. @returns the place */
export async function storeCredentials(
  registry: string,
  { username, password }: { readonly username: string; readonly password: string },
): Promise<string> {
  const config = await readConfig()
  const helper = helperFor(config, registry)
  if (helper !== undefined) {
    await runHelper(
      helper,
      'store',
      JSON.stringify({ ServerURL: keyOf(registry), Username: username, Secret: password }),
    )
    return helper
  }
  const auth = Buffer.from(`${username}:${password}`).toString('base64')
  return await writeConfig({ ...config, auths: { ...without(config, registry), [keyOf(registry)]: { auth } } })
}

/** @returns whether there were any */
export async function eraseCredentials(registry: string): Promise<boolean> {
  const config = await readConfig()
  const helper = helperFor(config, registry)
  const had = (await readCredentials(registry)) !== undefined
  if (helper !== undefined && had) await runHelper(helper, 'erase', keyOf(registry))
  const left = without(config, registry)
  if (Object.keys(left).length < Object.keys(object(config['auths'])).length)
    await writeConfig({ ...config, auths: left })
  return had
}

function configFile(): string {
  return join(
    process.env['DOCKER_CONFIG'] ?? join(process.getBuiltinModule('node:os').homedir(), '.docker'),
    'config.json',
  )
}

async function readConfig(): Promise<Json> {
  const file = configFile()
  try {
    return object(JSON.parse(await files.readFile(file, 'utf8')))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return {}
    // What JSON.parse says would quote the file, which holds passwords.
    throw new CliError(`Cannot read ${file}: ${code ?? 'it is not valid JSON'}`, 'Correct it, or move it away')
  }
}

/** All or nothing, and never readable for others. A symlink stays one. */
async function writeConfig(config: Json): Promise<string> {
  const named = configFile()
  await files.mkdir(dirname(named), { recursive: true, mode: 0o700 })
  const file = await files.realpath(named).catch(() => named)
  const temporary = `${file}.${process.pid}.tmp`
  try {
    await files.writeFile(temporary, `${JSON.stringify(config, undefined, '\t')}\n`, { mode: 0o600 })
    await files.chmod(temporary, 0o600)
    await files.rename(temporary, file)
  } catch (error) {
    await files.rm(temporary, { force: true })
    throw new CliError(`Cannot write ${file}: ${(error as Error).message}`)
  }
  return file
}

function without(config: Json, registry: string): Json {
  const entries = Object.entries(object(config['auths']))
  return Object.fromEntries(entries.filter(([key]) => canonical(key) !== canonical(registry)))
}

function helperFor(config: Json, registry: string): string | undefined {
  const own = Object.entries(object(config['credHelpers'])).find(([key]) => canonical(key) === canonical(registry))?.[1]
  const helper = own ?? config['credsStore']
  return typeof helper === 'string' && /^[\w.-]+$/.test(helper) ? `docker-credential-${helper}` : undefined
}

async function fromHelper(helper: string, registry: string): Promise<Credentials | undefined> {
  const text = await runHelper(helper, 'get', keyOf(registry))
  if (text === undefined) return undefined
  const { Username: username, Secret: secret } = JSON.parse(text)
  return username === '<token>' ? { identityToken: secret } : { username, password: secret }
}

/** docker-credential-helpers' protocol. Undefined if it has nothing for the registry. */
async function runHelper(
  helper: string,
  action: 'get' | 'store' | 'erase',
  input: string,
): Promise<string | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>()
  // Loaded here, because most commands run no helper and shall start fast.
  const { execFile } = process.getBuiltinModule('node:child_process')
  const child = execFile(helper, [action], (error, stdout) => {
    if (error === null) resolve(stdout)
    else if (/credentials not found/i.test(stdout)) resolve(undefined)
    else reject(new CliError(`The credential helper ${helper} failed: ${stdout.trim().slice(0, 500) || error.message}`))
  })
  child.stdin?.on('error', () => {}).end(input)
  return await promise
}

function decode(entry: Json): Credentials | undefined {
  const text = (key: string) => (typeof entry[key] === 'string' ? entry[key] : '')
  if (text('identitytoken') !== '') return { identityToken: text('identitytoken') }
  const decoded = Buffer.from(text('auth'), 'base64').toString('utf8')
  const colon = decoded.indexOf(':')
  if (colon > 0) return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) }
  return text('username') === '' ? undefined : { username: text('username'), password: text('password') }
}

function keyOf(registry: string): string {
  return canonical(registry) === DOCKER_HUB ? DOCKER_HUB_KEY : canonical(registry)
}

/** Hosts and URLs of an older time alike: `https://index.docker.io/v1/` is `docker.io`. */
function canonical(key: string): string {
  const host = key
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/, '')
    .toLowerCase()
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? DOCKER_HUB : host
}

function object(value: unknown): Json {
  return isObject(value) ? (value as Json) : {}
}
