import type { Platform } from '../model/image.ts'

/** Fills in from the host what is not asked for, in the one spelling that images use: Go's GOOS and GOARCH. */
export function completePlatform(wanted: Partial<Platform>): Platform {
  return normalizePlatform({
    os: wanted.os || 'linux',
    architecture: wanted.architecture || HOST_ARCHITECTURES[process.arch] || process.arch,
    ...(wanted.variant ? { variant: wanted.variant } : {}),
  })
}

/** `linux/arm/v7` */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`
}

/**
 * The first of `items` that runs best on `wanted`; the nearer the variant, the better. Items without a platform are
 * taken only if no other runs: an index that does not say is meant for all.
 */
export function selectPlatform<T extends { readonly platform?: Platform }>(
  items: readonly T[],
  wanted: Platform,
): T | undefined {
  for (const candidate of compatiblePlatforms(normalizePlatform(wanted))) {
    const found = items.find((item) => item.platform && isSame(normalizePlatform(item.platform), candidate))
    if (found !== undefined) return found
  }
  return items.find((item) => item.platform === undefined)
}

const HOST_ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  arm: 'arm',
  arm64: 'arm64',
  ppc64: 'ppc64le',
  s390x: 's390x',
  riscv64: 'riscv64',
  loong64: 'loong64',
}

const SPELLINGS: Readonly<Record<string, Omit<Platform, 'os'>>> = {
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  aarch64: { architecture: 'arm64' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
  i386: { architecture: '386' },
  i686: { architecture: '386' },
}

/** As containerd's platforms.Normalize: the variant that goes without saying is left out, arm's is always said. */
function normalizePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase()
  const given = platform.architecture.toLowerCase()
  const spelling = SPELLINGS[given] ?? { architecture: given }
  const { architecture } = spelling
  const asked = platform.variant?.toLowerCase() || spelling.variant
  const variant = asked !== undefined && /^\d/.test(asked) ? `v${asked}` : asked
  if (architecture === 'arm') return { os, architecture, variant: variant ?? 'v7' }
  const implied = architecture === 'amd64' ? 'v1' : architecture === 'arm64' ? 'v8' : undefined
  return variant === undefined || variant === implied ? { os, architecture } : { os, architecture, variant }
}

/** What runs on a platform, best first (containerd's platforms.Only). */
function compatiblePlatforms(platform: Platform): Platform[] {
  const { os, architecture } = platform
  const version = Number(/^v(\d+)/.exec(platform.variant ?? '')?.[1] ?? Number.NaN)
  const below = (name: string, from: number, to: number): Platform[] =>
    Array.from({ length: Math.max(0, from - to + 1) }, (_, step) =>
      normalizePlatform({ os, architecture: name, variant: `v${from - step}` }),
    )
  switch (architecture) {
    case 'amd64':
      return [platform, ...below('amd64', version - 1 || 0, 1), { os, architecture: '386' }]
    case 'arm':
      return [platform, ...below('arm', version - 1 || 0, 5)]
    case 'arm64':
      return [platform, ...(version > 8 ? below('arm64', 8, 8) : []), ...below('arm', 8, 5)]
    default:
      return [platform]
  }
}

function isSame(a: Platform, b: Platform): boolean {
  return a.os === b.os && a.architecture === b.architecture && a.variant === b.variant
}
