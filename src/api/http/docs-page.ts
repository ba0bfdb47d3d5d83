import type { ObjectRules, Rules } from '../../lib/schema.ts'
import type { OpenApiDocument, Operation } from './openapi.ts'

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
code, th, summary { font-family: ui-monospace, monospace; font-size: .92em }
summary { cursor: pointer; padding: .3rem 0 }
summary b { display: inline-block; width: 4.5em }
summary span { font-family: system-ui, sans-serif; opacity: .75; margin-left: 1em }
table { border-collapse: collapse; margin: .3rem 0 1rem 1rem }
th, td { text-align: left; vertical-align: top; padding: .1rem 1.2rem .1rem 0; font-weight: normal }
caption { text-align: left; opacity: .75 }
`

/** An OpenAPI document as one page of HTML that needs nothing else: no script, no style sheet, no network. */
export function docsPage({ info, tags, paths }: OpenApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  const sections = tags.map(({ name }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name))
    const items = own.map(({ path, method, operation }) => operationHtml(method, path, operation))
    return `<h2>${escapeHtml(name)}</h2>\n${items.join('\n')}`
  })
  const title = `${escapeHtml(info.title)} ${escapeHtml(info.version)}`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${STYLE}</style>
<h1>${title}</h1>
<p>${escapeHtml(info.description)}
<p>For programs: <a href="openapi.json">openapi.json</a>
${sections.join('\n')}
</html>
`
}

function operationHtml(method: string, path: string, operation: Operation): string {
  const { summary = '', parameters = [], requestBody, responses } = operation
  const tables = (['path', 'query'] as const).map((place) => {
    const own = parameters.filter((parameter) => parameter.in === place)
    return table(
      `in the ${place}`,
      own.map(({ name, schema, required }) => row(name, schema, required)),
    )
  })
  const bodies = Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) =>
    body(type, schema as Partial<ObjectRules>),
  )
  const answers = Object.keys(responses['2XX']?.content ?? {}).map((type) => `<code>${escapeHtml(type)}</code>`)
  const head = `<b>${method.toUpperCase()}</b> ${escapeHtml(path)}<span>${escapeHtml(summary)}</span>`
  return `<details><summary>${head}</summary>\n${[...tables, ...bodies].join('')}<p>Answers ${answers.join(' or ')}</details>`
}

function body(type: string, { properties = {}, required = [] }: Partial<ObjectRules>): string {
  const rows = Object.entries(properties).map(([name, rules]) => row(name, rules, required.includes(name)))
  return rows.length === 0 ? `<p>Takes <code>${escapeHtml(type)}</code>\n` : table(`in the body (${type})`, rows)
}

function table(caption: string, rows: readonly string[]): string {
  return rows.length === 0 ? '' : `<table><caption>${escapeHtml(caption)}</caption>\n${rows.join('')}</table>\n`
}

function row(name: string, rules: Rules, required: boolean): string {
  return `<tr><th>${escapeHtml(name)}<td>${escapeHtml(typeText(rules))}<td>${required ? 'required' : ''}\n`
}

/** `list of text`, `integer from 0 to 100` ... */
function typeText(rules: Rules): string {
  if ('anyOf' in rules) return rules.anyOf.map(typeText).join(' or ')
  if ('enum' in rules) return rules.enum.join(', ')
  switch (rules.type) {
    case undefined:
      return 'anything'
    case 'array':
      return `list of ${typeText(rules.items)}`
    case 'object':
      if (rules.additionalProperties !== false) return `map to ${typeText(rules.additionalProperties)}`
      return `{ ${Object.keys(rules.properties ?? {}).join(', ')} }`
    case 'string':
      return rules.description ?? 'text'
    case 'integer':
    case 'number': {
      const from = rules.minimum === undefined ? '' : ` from ${rules.minimum}`
      return `${rules.type}${from}${rules.maximum === undefined ? '' : ` to ${rules.maximum}`}`
    }
    case 'boolean':
      return 'true or false'
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!)
}
