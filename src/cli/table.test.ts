import assert from 'node:assert/strict'
import { test } from 'node:test'
import { table } from './table.ts'

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
