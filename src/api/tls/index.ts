/**
 * TLS for the API: certificates on disk, and the listener that asks its clients for theirs.
 *
 * The directory, its file names and what each certificate says are Raind's, so that Raind's clients work as they are.
 * What is missing is made, what ends soon is renewed with the same key, and a file that this module has not made is
 * never overwritten. Nobody gets further than the handshake without a certificate that our issuer has signed.
 */
export { type CertificatesRequest, ensureCertificates, type ServerCredentials } from './certificates.ts'
export { TlsListener, type TlsListenerOptions } from './listener.ts'
export { CLI_ROLE } from './profiles.ts'
