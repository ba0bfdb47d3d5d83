import type { WireConfigMapObject, WireNamespaceObject, WireSecretObject } from '../../../api/raind/index.ts'
import { labelFields, placeFields } from './metadata.ts'
import { outline } from './outline.ts'

export function describeConfigMap({ metadata, data = {}, binaryData = {} }: WireConfigMapObject): string {
  const texts = sorted(data).map(([key, text]) => `${key}:\n----\n${text}\n\n`)
  return `${outline([...placeFields(metadata), ...labelFields(metadata)])}
Data
====
${texts.join('')}
BinaryData
====
${sizes(binaryData)}
`
}

/** What is in it is not shown. */
export function describeSecret({ metadata, type = 'Opaque', data = {} }: WireSecretObject): string {
  return `${outline([...placeFields(metadata), ...labelFields(metadata), ['Type', type]])}
Data
====
${sizes(data)}
`
}

export function describeNamespace({ metadata, status }: WireNamespaceObject): string {
  return outline([['Name', metadata.name], ...labelFields(metadata), ['Status', status.phase]])
}

/** Of values in base64. */
function sizes(data: Readonly<Record<string, string>>): string {
  return outline(sorted(data).map(([key, value]) => [key, `${Buffer.from(value, 'base64').length} bytes`]))
}

function sorted(data: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1))
}
