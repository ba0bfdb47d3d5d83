import { useCompileCache } from '../lib/compile-cache.ts'

useCompileCache()
const { main } = await import('./daemon.ts')
await main(process.argv.slice(2))
