import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../test/support/daemon.ts'

export interface Bundle extends Disposable {
  readonly condenser: string
  readonly raind: string
}

/** The production bundle: a copy, so that a build meanwhile does not change what is measured. Built unless `dist` is given. */
export function openBundle(dist: string | undefined): Bundle {
  if (dist === undefined)
    execFileSync(join(projectRoot, 'scripts/build.sh'), { stdio: ['ignore', 'ignore', 'inherit'] })
  const directory = mkdtempSync('/var/tmp/condenser-bench-')
  cpSync(dist ?? join(projectRoot, 'dist'), directory, { recursive: true })
  return {
    condenser: join(directory, 'bin/condenser'),
    raind: join(directory, 'bin/raind'),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  }
}
