import { main } from './daemon.ts'

void main(process.argv.slice(2))
