import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { inTime } from './eventually.ts'
import type { OciImage } from './oci-image.ts'

const run = promisify(execFile)

export interface RegistryOptions {
  /** With a certificate for 127.0.0.1 and localhost from an authority of its own. */
  readonly tls?: boolean
  /** Basic auth: user and password. */
  readonly htpasswd?: { readonly username: string; readonly password: string }
}

export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:port`, as in image references. */
  readonly host: string
  readonly url: string
  /** The authority's certificate, if there is TLS. */
  readonly caFile: string | undefined
  readonly auth: { readonly username: string; readonly password: string } | undefined
  readonly pid: number
}

/** Starts Debian's docker-registry on a free port, with a directory of its own; ended by pid and removed when disposed. */
export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  const directory = await mkdtemp(join(tmpdir(), 'registry-'))
  const tls = options.tls ? await makeCertificate(directory) : undefined
  const config: Record<string, unknown> = {
    version: 0.1,
    log: { level: 'info' },
    storage: { filesystem: { rootdirectory: join(directory, 'data') } },
    http: { addr: '127.0.0.1:0', ...(tls && { tls: { certificate: tls.certificate, key: tls.key } }) },
    ...(options.htpasswd && {
      auth: { htpasswd: { realm: 'test', path: await writeHtpasswd(directory, options.htpasswd) } },
    }),
  }
  // JSON is YAML.
  const file = join(directory, 'config.yml')
  await writeFile(file, JSON.stringify(config))
  const child = spawn('docker-registry', ['serve', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
  })
  const host = await listenAddress(child)
  return {
    host,
    url: `${tls ? 'https' : 'http'}://${host}`,
    caFile: tls?.ca,
    auth: options.htpasswd,
    pid: child.pid!,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Pushes an image or an index with all it names, as `name:tag`. */
export async function pushImage(registry: TestRegistry, name: string, image: OciImage, tag = 'latest'): Promise<void> {
  for (const [digest, bytes] of image.blobs) {
    const upload = await send(registry, 'POST', `/v2/${name}/blobs/uploads/`)
    expect(upload, 202)
    const location = new URL(upload.headers.location!, registry.url)
    location.searchParams.set('digest', digest)
    const headers = { 'content-type': 'application/octet-stream' }
    expect(await send(registry, 'PUT', location.pathname + location.search, bytes, headers), 201)
  }
  for (const [digest, { mediaType, bytes }] of image.manifests) {
    const reference = digest === image.target.digest ? tag : digest
    expect(await send(registry, 'PUT', `/v2/${name}/manifests/${reference}`, bytes, { 'content-type': mediaType }), 201)
  }
}

async function send(
  registry: TestRegistry,
  method: string,
  path: string,
  body?: Buffer,
  headers: Record<string, string> = {},
): Promise<IncomingMessage> {
  const { auth, caFile } = registry
  const options = {
    method,
    headers: { ...headers, 'content-length': body?.length ?? 0 },
    ...(auth && { auth: `${auth.username}:${auth.password}` }),
    ...(caFile && { ca: await readFile(caFile) }),
    agent: false as const,
  }
  const request = (caFile ? httpsRequest : httpRequest)(new URL(path, registry.url), options)
  request.end(body)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.resume()
  return response
}

function expect(
  { statusCode, req }: IncomingMessage & { req?: { method: string; path: string } },
  wanted: number,
): void {
  if (statusCode !== wanted) throw new Error(`${req?.method} ${req?.path} answers ${statusCode}, not ${wanted}`)
}

/** The registry says in its log where it listens; if it ends instead, its log says why. */
async function listenAddress(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let log = ''
  child.stderr!.on('data', (chunk) => {
    log += chunk
    const address = /listening on (127\.0\.0\.1:\d+)/.exec(log)?.[1]
    if (address !== undefined) resolve(address)
  })
  child.once('close', (code, signal) => reject(new Error(`docker-registry ended with ${code ?? signal}:\n${log}`)))
  child.once('error', reject)
  return await inTime(promise, () => log)
}

async function writeHtpasswd(
  directory: string,
  { username, password }: { readonly username: string; readonly password: string },
): Promise<string> {
  const { stdout } = await run('htpasswd', ['-Bbn', username, password])
  const file = join(directory, 'htpasswd')
  await writeFile(file, stdout)
  return file
}

/** An authority, and a certificate signed by it for this machine's loopback names. */
export async function makeCertificate(directory: string): Promise<{ ca: string; certificate: string; key: string }> {
  const at = (name: string) => join(directory, name)
  const [ca, caKey, certificate, key] = [at('ca.pem'), at('ca-key.pem'), at('certificate.pem'), at('key.pem')]
  const newKey = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30']
  await run('openssl', [...newKey, '-subj', '/CN=Test authority', '-keyout', caKey, '-out', ca])
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
  const leaf = ['-addext', 'basicConstraints=critical,CA:FALSE']
  await run('openssl', [...newKey, ...names, ...leaf, '-CA', ca, '-CAkey', caKey, '-keyout', key, '-out', certificate])
  return { ca, certificate, key }
}
