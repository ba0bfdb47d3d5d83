/** Writes the table of docs/BOTTLES.md anew, between its two markers: `scripts/node.sh scripts/make-bottles-doc.ts` */
import { readFileSync, writeFileSync } from 'node:fs'
import { withKeys } from './compose-keys.ts'

const file = new URL('../docs/BOTTLES.md', import.meta.url)
writeFileSync(file, withKeys(readFileSync(file, 'utf8')))
