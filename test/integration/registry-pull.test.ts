import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import type { Ctx } from '../../src/lib/ctx.ts'
import { hasCode } from '../../src/lib/errors.ts'
import { silentLogger } from '../../src/lib/log.ts'
import type { Descriptor } from '../../src/model/image.ts'
import {
  completePlatform,
  createRegistryClient,
  type ImageReference,
  parseImageReference,
  type RegistryAuth,
  type RegistryClient,
  type ResolvedImage,
} from '../../src/registry/index.ts'
import { type OciImage, ociImage, ociIndex, writeLayout } from '../support/oci-image.ts'
import { pushImage, startRegistry } from '../support/registry.ts'
import { busyboxImage } from '../support/test-image.ts'

const run = promisify(execFile)
const ctx: Ctx = { signal: new AbortController().signal, log: silentLogger }
const amd64 = completePlatform({ architecture: 'amd64' })

async function read(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(stream))
}

async function fetchAll(client: RegistryClient, ref: ImageReference, image: ResolvedImage, auth?: RegistryAuth) {
  for (const blob of [image.config, ...image.layers]) {
    const bytes = await read(await client.fetchBlob(ctx, ref, blob, { ...(auth && { auth }), offset: 0 }))
    assert.equal(bytes.length, blob.size)
    assert.equal(`sha256:${createHash('sha256').update(bytes).digest('hex')}`, blob.digest)
  }
}

function digests(descriptors: readonly Descriptor[]): readonly string[] {
  return descriptors.map(({ digest }) => digest)
}

describe('a registry over plain http on loopback', () => {
  const client = createRegistryClient({ registries: {} })

  test('gives an image with layers of every compression, by tag and by digest', async () => {
    await using registry = await startRegistry()
    const file = (content: string) => [{ path: 'file', content }]
    const image = busyboxImage({
      layers: [
        { content: file('zstd'), compression: 'zstd' },
        { content: file('none'), compression: 'none' },
      ],
    })
    await pushImage(registry, 'team/busybox', image, '1.35')
    for (const suffix of [':1.35', `@${image.target.digest}`, `:other@${image.target.digest}`]) {
      const ref = parseImageReference(`${registry.host}/team/busybox${suffix}`)
      const resolved = await client.resolve(ctx, ref, { platform: amd64 })
      assert.deepEqual(resolved.target, image.target)
      assert.deepEqual(resolved.manifest, image.target)
      assert.deepEqual(resolved.config, image.config)
      assert.deepEqual(resolved.layers, image.layers)
      await fetchAll(client, ref, resolved)
    }
  })

  test('gives the manifest for the platform, of OCI indexes and of Docker lists', async () => {
    await using registry = await startRegistry()
    const platforms = [
      { os: 'linux', architecture: 'arm', variant: 'v6' },
      { os: 'linux', architecture: 'arm64', variant: 'v8' },
      { os: 'linux', architecture: 'amd64' },
    ]
    for (const format of ['oci', 'docker'] as const) {
      const images = platforms.map(
        (platform): OciImage =>
          ociImage({ platform, format, layers: [[{ path: 'arch', content: platform.architecture }]] }),
      )
      const index = ociIndex(images, format)
      await pushImage(registry, format, index)
      const ref = parseImageReference(`${registry.host}/${format}`)
      const wanted = [{ architecture: 'arm', variant: 'v7' }, { architecture: 'arm64' }, { architecture: 'x86_64' }]
      for (const [position, platform] of wanted.entries()) {
        const resolved = await client.resolve(ctx, ref, { platform: completePlatform(platform) })
        assert.deepEqual(resolved.target, index.target)
        assert.deepEqual(resolved.manifest, images[position]!.target)
        assert.deepEqual(
          resolved.documents.map(({ descriptor }) => descriptor),
          [index.target, images[position]!.target],
        )
        await fetchAll(client, ref, resolved)
      }
      await assert.rejects(
        client.resolve(ctx, ref, { platform: completePlatform({ architecture: 's390x' }) }),
        (error) => hasCode(error, 'not_found') && /none for linux\/s390x, only for linux\/arm\/v6/.test(error.message),
      )
    }
  })

  test('says what is missing', async () => {
    await using registry = await startRegistry()
    const image = ociImage({ layers: [[{ path: 'file' }]] })
    await pushImage(registry, 'there', image, 'latest')
    for (const name of ['there:none', 'absent', `there@sha256:${'0'.repeat(64)}`]) {
      const ref = parseImageReference(`${registry.host}/${name}`)
      await assert.rejects(
        client.resolve(ctx, ref, { platform: amd64 }),
        (error) => hasCode(error, 'not_found') && error.message.includes(name) && error.message.includes(registry.host),
      )
    }
    const ref = parseImageReference(`${registry.host}/there`)
    const gone = {
      ...image.layers[0]!,
      digest: image.config!.digest.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
    }
    await assert.rejects(client.fetchBlob(ctx, ref, gone as Descriptor), (error) => hasCode(error, 'not_found'))
  })

  test('continues a blob in its middle', async () => {
    await using registry = await startRegistry()
    const image = busyboxImage()
    await pushImage(registry, 'busybox', image)
    const ref = parseImageReference(`${registry.host}/busybox`)
    const layer = image.layers[0]!
    const bytes = image.blobs.get(layer.digest)!
    for (const offset of [1, 1000, layer.size - 1]) {
      assert.deepEqual(await read(await client.fetchBlob(ctx, ref, layer, { offset })), bytes.subarray(offset))
    }
  })

  test('gives what skopeo has put there', async () => {
    await using registry = await startRegistry()
    const directory = await mkdtemp(join(tmpdir(), 'layout-'))
    try {
      const image = busyboxImage()
      await writeLayout(directory, { latest: image })
      const flags = ['--insecure-policy', 'copy', '--dest-tls-verify=false']
      const [source, target] = [`oci:${directory}:latest`, `docker://${registry.host}/skopeo:1`]
      await run('skopeo', [...flags, '--format=oci', source, target])
      await run('skopeo', [...flags, '--format=v2s2', source, target.replace(':1', ':2')])
      const ref = parseImageReference(`${registry.host}/skopeo:1`)
      const resolved = await client.resolve(ctx, ref, { platform: amd64 })
      assert.deepEqual(resolved.target.digest, image.target.digest)
      await fetchAll(client, ref, resolved)
      const docker = parseImageReference(`${registry.host}/skopeo:2`)
      const converted = await client.resolve(ctx, docker, { platform: amd64 })
      assert.equal(converted.manifest.mediaType, 'application/vnd.docker.distribution.manifest.v2+json')
      assert.deepEqual(digests(converted.layers), digests(image.layers))
      await fetchAll(client, docker, converted)
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})

describe('a registry with TLS and Basic auth', () => {
  const right = { username: 'ann', password: 'se:cret' }
  const image = ociImage({ layers: [[{ path: 'file', content: 'private' }]] })

  test('gives an image to whom it knows', async () => {
    await using registry = await startRegistry({ tls: true, htpasswd: right })
    await pushImage(registry, 'private/image', image)
    const client = createRegistryClient({ registries: { [registry.host]: { caFile: registry.caFile! } } })
    const ref = parseImageReference(`${registry.host}/private/image`)
    const resolved = await client.resolve(ctx, ref, { auth: right, platform: amd64 })
    assert.deepEqual(resolved.target, image.target)
    await fetchAll(client, ref, resolved, right)
  })

  test('refuses others, and what they learn tells them what to do', async () => {
    await using registry = await startRegistry({ tls: true, htpasswd: right })
    await pushImage(registry, 'private/image', image)
    const client = createRegistryClient({ registries: { [registry.host]: { caFile: registry.caFile! } } })
    const ref = parseImageReference(`${registry.host}/private/image`)
    await assert.rejects(
      client.resolve(ctx, ref, { auth: { username: 'ann', password: 'wrong' }, platform: amd64 }),
      (error) => hasCode(error, 'unauthenticated') && /user "ann": wrong name or password/.test(error.message),
    )
    await assert.rejects(
      client.resolve(ctx, ref, { platform: amd64 }),
      (error) => hasCode(error, 'unauthenticated') && /credentials are needed/.test(error.message),
    )
    // Another's login is not one's own.
    await client.resolve(ctx, ref, { auth: right, platform: amd64 })
    await assert.rejects(client.resolve(ctx, ref, { platform: amd64 }), (error) => hasCode(error, 'unauthenticated'))
  })

  test('takes credentials from the configuration and from a docker config', async () => {
    await using registry = await startRegistry({ tls: true, htpasswd: right })
    await pushImage(registry, 'private/image', image)
    const ref = parseImageReference(`${registry.host}/private/image`)
    const caFile = registry.caFile!
    const configured = createRegistryClient({ registries: { [registry.host]: { caFile, auth: right } } })
    assert.deepEqual((await configured.resolve(ctx, ref, { platform: amd64 })).target, image.target)
    const directory = await mkdtemp(join(tmpdir(), 'docker-config-'))
    try {
      const dockerConfigFile = join(directory, 'config.json')
      const auth = Buffer.from(`${right.username}:${right.password}`).toString('base64')
      await writeFile(dockerConfigFile, JSON.stringify({ auths: { [registry.host]: { auth } } }))
      const client = createRegistryClient({ registries: { [registry.host]: { caFile } }, dockerConfigFile })
      assert.deepEqual((await client.resolve(ctx, ref, { platform: amd64 })).target, image.target)
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  test('is not believed without its authority, unless it may be insecure', async () => {
    await using registry = await startRegistry({ tls: true })
    await pushImage(registry, 'image', image)
    const ref = parseImageReference(`${registry.host}/image`)
    await assert.rejects(
      createRegistryClient({ registries: {} }).resolve(ctx, ref, { platform: amd64 }),
      (error) => hasCode(error, 'failed_precondition') && /"caFile" of this registry/.test(error.message),
    )
    const missing = createRegistryClient({ registries: { [registry.host]: { caFile: '/nowhere/ca.pem' } } })
    await assert.rejects(
      missing.resolve(ctx, ref, { platform: amd64 }),
      (error) => hasCode(error, 'failed_precondition') && error.message.includes('/nowhere/ca.pem'),
    )
    const insecure = createRegistryClient({ registries: { [registry.host]: { insecure: true } } })
    assert.deepEqual((await insecure.resolve(ctx, ref, { platform: amd64 })).target, image.target)
  })
})

describe('mirrors', () => {
  const image = ociImage({ layers: [[{ path: 'file', content: 'mirrored' }]] })

  test('are asked first, and the registry itself last', async () => {
    await using origin = await startRegistry()
    await using mirror = await startRegistry()
    await pushImage(mirror, 'cache/image', image)
    await pushImage(origin, 'image', image, 'origin')
    const dead = '127.0.0.1:1'
    const mirrors = [dead, `http://${mirror.host}/cache`]
    const client = createRegistryClient({ registries: { [origin.host]: { mirrors } } })
    for (const tag of ['latest', 'origin']) {
      const ref = parseImageReference(`${origin.host}/image:${tag}`)
      const resolved = await client.resolve(ctx, ref, { platform: amd64 })
      assert.deepEqual(resolved.target, image.target)
      await fetchAll(client, ref, resolved)
    }
    await assert.rejects(
      client.resolve(ctx, parseImageReference(`${origin.host}/image:none`), { platform: amd64 }),
      (error) => hasCode(error, 'not_found') && error.message.includes(origin.host),
    )
  })
})
