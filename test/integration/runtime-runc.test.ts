import { runInOwnNamespaces } from '../support/namespace.ts'
import { runtimeSuite } from '../support/runtime-suite.ts'

runInOwnNamespaces(import.meta.filename)
runtimeSuite('runc')
