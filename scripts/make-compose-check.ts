/** Writes src/compose/schema-check.js anew: `scripts/node.sh scripts/make-compose-check.ts` */
import { writeFileSync } from 'node:fs'
import { composeCheck } from './compose-check.ts'

writeFileSync(new URL('../src/compose/schema-check.js', import.meta.url), await composeCheck())
