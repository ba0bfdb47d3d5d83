import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rowAligner, table } from './table.ts'

test('columns are as wide as their widest cell, two spaces apart, without trailing spaces', () => {
  const rows = [
    ['1', 'a'],
    ['22222', ''],
    ['ä…', 'ccc'],
  ]
  assert.equal(table(['ID', 'NAME'], rows), 'ID     NAME\n1      a\n22222\nä…     ccc\n')
})

test('a table without rows is its header', () => {
  assert.equal(table(['ID', 'NAME'], []), 'ID  NAME\n')
})

test('rows that are printed later stand under those before', () => {
  const align = rowAligner()
  assert.equal(
    align([
      ['NAME', 'AGE'],
      ['web-123', '5s'],
    ]),
    'NAME     AGE\nweb-123  5s\n',
  )
  assert.equal(align([['db', '6s']]), 'db       6s\n')
  assert.equal(align([['a-longer-name', '7s']]), 'a-longer-name  7s\n')
})
