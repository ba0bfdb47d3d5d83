import { anything, atomic, boolean, object, optional, refused, type Static, string } from '../../lib/schema.ts'
import { quantity } from './quantity.ts'

const keySelector = atomic(object({ name: optional(string()), key: string(), optional: optional(boolean()) }))

const envVarSource = object({
  fieldRef: optional(atomic(object({ apiVersion: optional(string()), fieldPath: string() }))),
  resourceFieldRef: optional(
    atomic(
      object({
        containerName: optional(string()),
        /** `limits.cpu`, `requests.memory` ... */
        resource: string(),
        /** What the value is told in; absent: whole CPUs, bytes. */
        divisor: optional(quantity),
      }),
    ),
  ),
  configMapKeyRef: optional(keySelector),
  secretKeyRef: optional(keySelector),
  fileKeyRef: optional(anything(), refused('this source is not there yet')),
})

export const envVar = object({
  name: string(),
  /** `$(NAME)` in it stands for the value of an earlier one. */
  value: optional(string()),
  valueFrom: optional(envVarSource),
})

const source = object({ name: optional(string()), optional: optional(boolean()) })

/** Exactly one of the two references. */
export const envFromSource = object({
  prefix: optional(string()),
  configMapRef: optional(source),
  secretRef: optional(source),
})

export type EnvVar = Static<typeof envVar>
export type EnvVarSource = Static<typeof envVarSource>
export type EnvFromSource = Static<typeof envFromSource>
/** A key of a ConfigMap or of a Secret. */
export type KeySelector = Static<typeof keySelector>
