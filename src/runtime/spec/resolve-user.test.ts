import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import fc from 'fast-check'
import { parseGroups, parsePasswd } from './passwd.ts'
import { findUser, resolveUser } from './resolve-user.ts'

const PASSWD = `root:x:0:0:root:/root:/bin/sh
# a comment
bad line
app:x:1000:1001:App:/srv/app:/bin/sh
1234:x:77:78::/odd:/bin/sh
nohome:x:5:5::
`
const GROUP = `root:x:0:root
wheel:x:10:root,app
app:x:1001:
audio:x:29:app
docker:x:999:nobody
`

let rootfs: string
beforeEach(() => {
  rootfs = mkdtempSync(join(tmpdir(), 'resolve-user-'))
  mkdirSync(join(rootfs, 'etc'))
})
afterEach(() => rmSync(rootfs, { recursive: true }))

function find(user: string, options?: Parameters<typeof findUser>[3]) {
  return findUser(user, parsePasswd(PASSWD), () => parseGroups(GROUP), options)
}

test('finds users and groups as docker does', () => {
  assert.deepEqual(find(''), { uid: 0, gid: 0, additionalGids: [0, 10], home: '/root' })
  assert.deepEqual(find('app'), { uid: 1000, gid: 1001, additionalGids: [1001, 10, 29], home: '/srv/app' })
  assert.deepEqual(find('1000'), find('app'))
  assert.deepEqual(find('4711'), { uid: 4711, gid: 0, additionalGids: [0], home: '/' })
  assert.deepEqual(find('4711:815'), { uid: 4711, gid: 815, additionalGids: [815], home: '/' })
  assert.deepEqual(find('app:docker'), { uid: 1000, gid: 999, additionalGids: [999], home: '/srv/app' })
  assert.deepEqual(find('app:10'), { uid: 1000, gid: 10, additionalGids: [10], home: '/srv/app' })
  assert.deepEqual(find(':audio'), { uid: 0, gid: 29, additionalGids: [29], home: '/root' })
  assert.equal(find('1234').uid, 77) // a name of digits goes before a number
  assert.equal(find('nohome').home, '/')
})

test('groups that list the user, beside one that is given, where that is asked for', () => {
  const groupsOf = (user: string, groupAdd?: string[]) =>
    find(user, { mergeGroups: true, ...(groupAdd && { groupAdd }) }).additionalGids
  assert.deepEqual(groupsOf('app:docker'), [999, 10, 29])
  assert.deepEqual(groupsOf('1000:29', ['10', '4']), [29, 10, 4])
  assert.deepEqual(groupsOf('app'), find('app').additionalGids)
  assert.deepEqual(groupsOf('4711:815'), [815])
})

test('refuses names that are not there, and ids beyond 31 bits', () => {
  assert.throws(() => find('nobody'), {
    code: 'invalid_argument',
    message: 'Unknown user "nobody": the image\'s /etc/passwd does not have it',
  })
  assert.throws(() => find('app:staff'), { code: 'invalid_argument', message: /group "staff"/ })
  assert.throws(() => find('4294967296'), { code: 'invalid_argument' })
  assert.throws(() => find('0:4294967295'), { code: 'invalid_argument' })
  assert.throws(() => find('-1'), { code: 'invalid_argument' })
})

test('any text is a user or invalid', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (user, passwd, group) => {
      try {
        const { uid, gid } = findUser(user, parsePasswd(passwd), () => parseGroups(group))
        assert.ok(uid >= 0 && uid < 2 ** 31 && gid >= 0 && gid < 2 ** 31)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'invalid_argument')
      }
    }),
  )
})

test("reads the image's own files", () => {
  writeFileSync(join(rootfs, 'etc/passwd'), PASSWD)
  writeFileSync(join(rootfs, 'etc/group'), GROUP)
  assert.deepEqual(resolveUser(rootfs, 'app').additionalGids, [1001, 10, 29])
})

test('an image without the files has numbers only', () => {
  assert.deepEqual(resolveUser(rootfs, ''), { uid: 0, gid: 0, additionalGids: [0], home: '/' })
  assert.deepEqual(resolveUser(rootfs, '7:8'), { uid: 7, gid: 8, additionalGids: [8], home: '/' })
  assert.throws(() => resolveUser(rootfs, 'root'), { code: 'invalid_argument' })
})

test('a FIFO does not block, nor does a directory or a device count', () => {
  execFileSync('mkfifo', [join(rootfs, 'etc/passwd')])
  mkdirSync(join(rootfs, 'etc/group'))
  assert.equal(resolveUser(rootfs, '7').uid, 7)
  symlinkSync('/dev/zero', join(rootfs, 'etc/passwd2'))
  assert.throws(() => resolveUser(rootfs, 'app'), { code: 'invalid_argument' })
})

test('a symlink leads nowhere but into the image', () => {
  const outside = mkdtempSync(join(tmpdir(), 'resolve-user-out-'))
  writeFileSync(join(outside, 'passwd'), 'evil:x:666:666::/:/bin/sh\n')
  symlinkSync(join(outside, 'passwd'), join(rootfs, 'etc/passwd'))
  symlinkSync('../../../../../../../../../../../etc/group', join(rootfs, 'etc/group'))
  assert.throws(() => resolveUser(rootfs, 'evil'), { code: 'invalid_argument' })
  mkdirSync(join(rootfs, outside), { recursive: true })
  writeFileSync(join(rootfs, outside, 'passwd'), 'inside:x:42:42::/:/bin/sh\n')
  assert.equal(resolveUser(rootfs, 'inside').uid, 42)
  rmSync(outside, { recursive: true })
})

test('a magic link of /proc is not followed', () => {
  symlinkSync('/proc/self/root/etc/passwd', join(rootfs, 'etc/passwd'))
  assert.throws(() => resolveUser(rootfs, 'root'), { code: 'invalid_argument' })
})

test('a huge file is refused', () => {
  writeFileSync(join(rootfs, 'etc/passwd'), 'x'.repeat(2 * 1024 * 1024))
  assert.throws(() => resolveUser(rootfs, 'root'), { code: 'resource_exhausted' })
})
