import { main } from './daemon.ts'

await main(process.argv.slice(2))
