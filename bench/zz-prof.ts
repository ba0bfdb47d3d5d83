import { join } from 'node:path'
import { mount } from '../src/linux/mount.ts'
import { apiClient } from '../test/support/api-client.ts'
import { runInOwnNamespaces } from '../test/support/namespace.ts'
import { create, remove, start, startHost } from './support/host.ts'
import { inParallel } from './support/stats.ts'

runInOwnNamespaces(import.meta.filename)
mount('tmpfs', '/run', 'tmpfs', 0, 'mode=0755')
await using host = await startHost({ condenser: '/work/main/dist/bin/condenser', raind: '', runtime: 'auto', scale: 1 })
const ids: string[] = []
await inParallel(200, 4, async () => {
  const id = await create(host)
  await start(host, id)
  ids.push(id)
})
for (let i = 0; i < 3; i++) {
  await host.daemon.stop()
  const t = performance.now()
  const r = host.restart({
    ...host.options,
    ...(i === 1 && { env: { NODE_OPTIONS: '--cpu-prof --cpu-prof-dir=/tmp/prof' } }),
  })
  const api = apiClient(join(host.home.run, 'condenser.sock'))
  for (;;) {
    const a = await api.get('/v1/health').catch(() => undefined)
    if (a?.status === 200) break
    await new Promise((r) => setTimeout(r, 2))
  }
  console.log('first answer', performance.now() - t)
  await r
  console.log(
    'ready',
    performance.now() - t,
    host.daemon
      .log()
      .split('\n')
      .filter((l) => l.includes('ready'))
      .join(),
  )
}
await inParallel(200, 4, (i) => remove(host, ids[i]!))
