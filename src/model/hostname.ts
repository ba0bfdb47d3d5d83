/** What a container may be called by itself; rules of a text (lib/schema.ts). */
export const HOSTNAME = {
  maxLength: 63,
  pattern: '^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$',
  description: 'a host name (letters, digits, "-" and ".")',
} as const
