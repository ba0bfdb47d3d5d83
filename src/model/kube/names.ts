/**
 * The syntax of names, as Kubernetes has it (apimachinery, util/validation). Each says what is wrong with a text, as
 * the end of a sentence that begins with its path; undefined: nothing.
 */
type Problem = string | undefined

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const LABEL_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const NAME_PART = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/

/** RFC 1123, `web-1`. */
export function dnsLabelProblem(text: string): Problem {
  return syntaxProblem(
    text,
    LABEL,
    63,
    'lower-case letters, digits and "-", beginning and ending with a letter or digit',
  )
}

/** RFC 1035: as `dnsLabelProblem`, beginning with a letter. */
export function dns1035LabelProblem(text: string): Problem {
  return syntaxProblem(text, LABEL_1035, 63, 'lower-case letters, digits and "-", beginning with a letter')
}

/** RFC 1123, `web.example.com`. */
export function dnsSubdomainProblem(text: string): Problem {
  return syntaxProblem(
    text,
    SUBDOMAIN,
    253,
    'lower-case letters, digits, "-" and ".", each part beginning and ending with a letter or digit',
  )
}

/** The key of a label: `app`, `example.com/app`. */
export function qualifiedNameProblem(text: string): Problem {
  const [name = '', prefix, ...rest] = text.split('/').toReversed()
  if (rest.length > 0) return 'must be a name, or a domain, "/" and a name'
  const problem = syntaxProblem(name, NAME_PART, 63, NAME_WORDS)
  if (problem !== undefined || prefix === undefined) return problem
  const inPrefix = dnsSubdomainProblem(prefix)
  return inPrefix && `has an invalid domain before "/": it ${inPrefix}`
}

export function labelValueProblem(text: string): Problem {
  return text === '' ? undefined : syntaxProblem(text, NAME_PART, 63, NAME_WORDS)
}

/** Any printable ASCII but `=` (Kubernetes 1.30). */
export function envNameProblem(text: string): Problem {
  return syntaxProblem(text, /^[\x20-\x3c\x3e-\x7e]+$/, Infinity, 'printable ASCII without "="')
}

/** IANA_SVC_NAME: the name of a container's port. */
export function portNameProblem(text: string): Problem {
  const problem = syntaxProblem(text, LABEL, 15, 'lower-case letters, digits and "-"')
  if (problem !== undefined) return problem
  if (!/[a-z]/.test(text)) return 'must have at least one letter'
  return text.includes('--') ? 'must not have "--"' : undefined
}

/** A key of a ConfigMap or a Secret: it may be a file's name. */
export function dataKeyProblem(text: string): Problem {
  if (text.startsWith('..') || text === '.') return 'must not be "." nor begin with ".."'
  return syntaxProblem(text, /^[-._a-zA-Z0-9]+$/, 253, 'letters, digits, "-", "_" and "."')
}

/** A path below a directory that does not lead out of it. */
export function descendingPathProblem(path: string): Problem {
  if (path.startsWith('/')) return 'must be a relative path'
  return path.split('/').includes('..') ? 'must not contain ".."' : undefined
}

const NAME_WORDS = 'letters, digits, "-", "_" and ".", beginning and ending with a letter or digit'

function syntaxProblem(text: string, syntax: RegExp, max: number, words: string): Problem {
  if (text === '') return 'must not be empty'
  if (text.length > max) return `may have at most ${max} characters`
  return syntax.test(text) ? undefined : `must be made of ${words}, not ${JSON.stringify(text.slice(0, 100))}`
}
