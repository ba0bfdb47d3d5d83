/** Writes the tables of docs/KUBERNETES.md anew, between its two markers: `scripts/node.sh scripts/make-kubernetes-doc.ts` */
import { readFileSync, writeFileSync } from 'node:fs'
import { withFields } from './kubernetes-fields.ts'

const file = new URL('../docs/KUBERNETES.md', import.meta.url)
writeFileSync(file, withFields(readFileSync(file, 'utf8')))
