import { runInOwnNamespaces } from '../support/namespace.ts'
import { specSuite } from '../support/spec-suite.ts'

runInOwnNamespaces(import.meta.filename)
specSuite('crun', { compile: false })
