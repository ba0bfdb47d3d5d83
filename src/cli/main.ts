import { useCompileCache } from '../lib/compile-cache.ts'

useCompileCache()
const { main } = await import('./cli.ts')
process.exitCode = await main(process.argv.slice(2))
