/** A fault that ajv tells of, without words. */
export interface SchemaError {
  /** A JSON pointer. */
  readonly instancePath: string
  readonly keyword: string
  readonly params: Readonly<Record<string, unknown>>
}

/** Compose's schema, compiled. */
export const validate: {
  (value: unknown): boolean
  readonly errors?: readonly SchemaError[] | null
}
