import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import standaloneCode from 'ajv/dist/standalone/index.js'
import { build } from 'esbuild'

const SCHEMA = new URL('../src/compose/compose-schema.json', import.meta.url)

const HEAD = '// Made of compose-schema.json by scripts/make-compose-check.ts.\n'

/** The specification's schema as one module without imports: to compile it at each start takes twenty times as long. */
export async function composeCheck(): Promise<string> {
  const { $schema, ...schema } = JSON.parse(readFileSync(SCHEMA, 'utf8'), withoutProse)
  // `inlineRefs: false` makes a third less of it, and messages of our own are written from what an error says.
  const code = { source: true, esm: true } as const
  const ajv = new Ajv({ allErrors: true, strict: false, messages: false, inlineRefs: false, code })
  const contents = standaloneCode.default(ajv, ajv.compile(schema))
  const bundled = await build({
    stdin: { contents, resolveDir: import.meta.dirname },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node26',
    minify: true,
    write: false,
  })
  return HEAD + bundled.outputFiles[0]!.text
}

function withoutProse(key: string, value: unknown): unknown {
  return ['description', 'title'].includes(key) && typeof value === 'string' ? undefined : value
}
