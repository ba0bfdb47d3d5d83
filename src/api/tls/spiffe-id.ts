import type { X509Certificate } from 'node:crypto'

/** The first URI among the names of a certificate: who its holder is (X.509-SVID). */
export function spiffeIdOf({ subjectAltName }: Pick<X509Certificate, 'subjectAltName'>): string | undefined {
  // `DNS:localhost, URI:"spiffe://with, comma"`: Node quotes, as JSON, each name that would not read unambiguously.
  for (const [, kind, text] of (subjectAltName ?? '').matchAll(/(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)/gy)) {
    if (kind === 'URI') return text!.startsWith('"') ? (JSON.parse(text!) as string) : text
  }
  return undefined
}
