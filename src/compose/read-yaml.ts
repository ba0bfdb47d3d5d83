import type { Node, YAMLMap, Scalar as YamlScalar } from 'yaml'
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type LineCounter,
  parse,
  type ScalarTag,
  type Tags,
} from 'yaml'
import { isDeeperThan } from '../lib/is-deeper-than.ts'
import { jsonDocuments } from '../lib/json-documents.ts'
import { yamlFault, yamlProblem, yamlText } from '../lib/yaml-text.ts'
import { quoted, throwFaults } from './faults.ts'
import { type Json, type Place, type Scalar, type Tree, type TreeMap, treeOf, weightOf } from './tree.ts'

const MAX_TEXT_BYTES = 1024 * 1024
/** About the bytes of what is read as JSON, with all aliases in full: a bomb of some lines can be made of them. */
export const MAX_WEIGHT = 4 * MAX_TEXT_BYTES
/** Of what `<<` brings, all together. */
const MAX_MERGED = 100_000
/** No Compose file is a quarter as deep. */
const MAX_DEPTH = 64
const MAX_ITEMS = 1024

/** As Go's yaml.v3: of YAML 1.1 octal numbers and `_` in them are left; `yes` and `22:22` are texts. */
const OLD_INTEGER: ScalarTag = {
  default: true,
  tag: 'tag:yaml.org,2002:int',
  test: /^[-+]?(?:0[0-7_]+|[1-9][0-9]*_[0-9_]*)$/,
  resolve(text) {
    const digits = text.replaceAll(/[-+_]/g, '')
    return (text.startsWith('-') ? -1 : 1) * Number.parseInt(digits, digits.startsWith('0') ? 8 : 10)
  },
}
const OPTIONS = {
  version: '1.2',
  schema: 'core',
  merge: true,
  customTags: (tags: Tags): Tags => [OLD_INTEGER, ...tags],
} as const

const STANDARD_TAG = /^tag:yaml\.org,2002:(?:map|seq|str|int|float|bool|null)$/

/**
 * The documents of a text; empty ones do not count.
 * @throws {StatusError} `invalid_argument`, also for what is too large or too deep
 */
export function readTrees(text: string, file: string): readonly Tree[] {
  if (Buffer.byteLength(text) > MAX_TEXT_BYTES) {
    refuse({ file }, `is too large: at most ${MAX_TEXT_BYTES / 1024 / 1024} MiB`)
  }
  const trees = [...(treesOfJson(text, file) ?? treesOfYaml(text, file))].filter(({ value }) => value !== null)
  for (const tree of trees) {
    if (weightOf(tree, MAX_WEIGHT) > MAX_WEIGHT) refuse({ file }, 'is too large with its aliases in full')
    if (!(tree.value instanceof Map)) refuse(tree.place, 'must be an object')
    refuseOdd(tree)
  }
  return trees
}

function refuse(place: Place, problem: string): never {
  throwFaults([{ path: [], place, problem }])
  throw new Error('unreachable')
}

/** It is read in a thirtieth of the time; lines are not known then. */
function treesOfJson(text: string, file: string): readonly Tree[] | undefined {
  return jsonDocuments(text)?.map((content) => {
    const place = { file }
    if ('unreadable' in content) refuse(place, content.unreadable)
    if (isDeeperThan(content.value, MAX_DEPTH)) refuse(place, `is nested more than ${MAX_DEPTH} levels deep`)
    return treeOf((content.value ?? null) as Json, place)
  })
}

function* treesOfYaml(text: string, file: string): Generator<Tree> {
  for (const { document, lines } of yamlText(text, OPTIONS)) {
    const fault = yamlFault(document)
    if (fault !== undefined) refuse(placeOf(fault.offset, { file, lines }), fault.problem)
    yield treeOfDocument(document, { file, lines })
  }
}

interface Source {
  readonly file: string
  readonly lines: LineCounter
}

function placeOf(offset: number | undefined, { file, lines }: Source): Place {
  return offset === undefined ? { file } : { file, line: lines.linePos(offset).line }
}

/** A tree with its levels. */
interface Built {
  readonly tree: Tree
  readonly height: number
}

function treeOfDocument(document: Document.Parsed, source: Source): Tree {
  /** Undefined while what it names is not finished. */
  const anchors = new Map<string, Built | undefined>()
  let merged = 0

  function build(node: Node | null | undefined, place: Place, depth: number): Built {
    if (node === null || node === undefined) return { tree: { place, value: null }, height: 0 }
    const at = node.range == null ? place : placeOf(node.range[0], source)
    const { anchor } = node as { anchor?: string }
    if (anchor !== undefined) anchors.set(anchor, undefined)
    const built = withTag(node, at, isAlias(node) ? resolve(node.source, at) : content(node, at, depth))
    if (depth + built.height > MAX_DEPTH) refuse(at, `is nested more than ${MAX_DEPTH} levels deep`)
    if (anchor !== undefined) anchors.set(anchor, built)
    return built
  }

  function content(node: Node, place: Place, depth: number): Built {
    if (isMap(node)) return buildMap(node, place, depth)
    if (isSeq(node)) {
      const items = node.items.map((item) => build(item as Node | null, place, depth + 1))
      return { tree: { place, value: items.map(({ tree }) => tree) }, height: heightAbove(items) }
    }
    return { tree: scalarTree(node as YamlScalar, place), height: 0 }
  }

  function buildMap(node: YAMLMap, place: Place, depth: number): Built {
    const entries = new Map<string, Tree>()
    const below: Built[] = []
    const sources: Built[] = []
    for (const { key, value } of node.items) {
      const at = placeOf((key as Node | null)?.range?.[0], source)
      const built = build(value as Node | null, at, depth + 1)
      if (isMerge(key)) {
        sources.push(built)
        continue
      }
      below.push(built)
      entries.set(keyText(key, at), { ...built.tree, place: at })
    }
    for (const { tree } of sources) mergeInto(entries, tree)
    // What is merged does not stand below.
    const height = Math.max(heightAbove(below), heightAbove(sources) - 1)
    return { tree: { place, value: entries }, height }
  }

  /** Keys that are there stay as they are; of several maps the first counts. */
  function mergeInto(entries: Map<string, Tree>, from: Tree): void {
    for (const tree of Array.isArray(from.value) ? (from.value as readonly Tree[]) : [from]) {
      if (!(tree.value instanceof Map)) refuse(from.place, 'what << names must be an object or a list of them')
      for (const [key, value] of tree.value as TreeMap) {
        if (++merged > MAX_MERGED) refuse(from.place, `<< brings more than ${MAX_MERGED} entries`)
        if (!entries.has(key)) entries.set(key, value)
      }
    }
  }

  function resolve(name: string, place: Place): Built {
    const built = anchors.get(name)
    if (built !== undefined) return built
    const short = quoted(name)
    return refuse(place, anchors.has(name) ? `the alias ${short} is part of itself` : `there is no anchor ${short}`)
  }

  try {
    return build(document.contents as Node | null, placeOf(0, source), 0).tree
  } catch (error) {
    if (error instanceof RangeError) refuse({ file: source.file }, yamlProblem(error))
    throw error
  }
}

function heightAbove(parts: readonly Built[]): number {
  return 1 + parts.reduce((most, { height }) => Math.max(most, height), 0)
}

function withTag(node: Node, place: Place, built: Built): Built {
  const { tag } = node as { tag?: string }
  if (tag === undefined || isAlias(node) || STANDARD_TAG.test(tag)) return built
  if (tag !== '!reset' && tag !== '!override') refuse(place, `the tag ${quoted(tag)} is unknown`)
  const isPlain = isScalar(node) && node.type === 'PLAIN'
  // What has a tag of another's was not looked at: it may be a number.
  const tree = isPlain
    ? { ...built.tree, value: scalarValue(parse(node.source ?? '', OPTIONS), node.source) }
    : built.tree
  return { ...built, tree: { ...tree, tag: tag === '!reset' ? 'reset' : 'override' } }
}

function isMerge(key: unknown): boolean {
  return isScalar(key) && typeof key.value === 'symbol'
}

function keyText(key: unknown, place: Place): string {
  if (isScalar(key) && key.value !== null && typeof key.value !== 'symbol') return key.source ?? String(key.value)
  return refuse(place, 'a key must be a text')
}

function scalarTree({ value, source }: YamlScalar, place: Place): Tree {
  const scalar = scalarValue(value, source)
  return { place, value: scalar, ...(typeof scalar !== 'string' && source !== undefined && { source }) }
}

/** What no JSON can say exactly is as it is written. */
function scalarValue(value: unknown, source: string | undefined): Scalar {
  const isInexact =
    typeof value === 'number' && (Number.isInteger(value) ? !Number.isSafeInteger(value) : !Number.isFinite(value))
  return isInexact ? (source ?? String(value)) : (value as Scalar)
}

/** No system call takes a NUL, and no format that is written may carry it; long lists are compared item by item. */
function refuseOdd({ value, place }: Tree): void {
  const problem = 'a text must not contain a NUL character'
  if (typeof value === 'string' && value.includes('\0')) refuse(place, problem)
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value) && value.length > MAX_ITEMS) refuse(place, `a list may have ${MAX_ITEMS} items at most`)
  for (const [key, entry] of value.entries()) {
    if (typeof key === 'string' && key.includes('\0')) refuse((entry as Tree).place, problem)
    refuseOdd(entry as Tree)
  }
}
