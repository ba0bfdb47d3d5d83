/** Pulls or removes one image in a process of its own, so that a failpoint can end it: `ROOT HOST pull|remove REFERENCE`. */
import { finish, openImageEngine } from './image-engine.ts'

const [root, host, verb, reference] = process.argv.slice(2) as [string, string, string, string]
await using engine = await openImageEngine(root, { registries: { [host]: { insecure: true } } })
if (verb === 'pull') await finish(engine.images.pull(engine.ctx, reference))
else await engine.images.remove(engine.ctx, reference)
