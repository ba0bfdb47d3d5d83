import { enableCompileCache } from 'node:module'

enableCompileCache()
const { main } = await import('./daemon.ts')
await main(process.argv.slice(2))
