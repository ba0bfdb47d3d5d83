import { main } from './cli.ts'

for (const out of [process.stdout, process.stderr]) {
  out.on('error', (error: NodeJS.ErrnoException) => {
    const isHeard = error.code !== 'EPIPE'
    if (isHeard && out === process.stdout) process.stderr.write(`raind: Cannot write the output: ${error.message}\n`)
    // Who read us has had enough: nothing is to be done for him any more.
    process.exit(isHeard ? 1 : 0)
  })
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code
})
