export interface PasswdEntry {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
}

export interface GroupEntry {
  readonly name: string
  readonly gid: number
  readonly members: readonly string[]
}

const MAX_ID = 2 ** 31 - 1

/** passwd(5). Lines that are not of its form are skipped. */
export function parsePasswd(text: string): PasswdEntry[] {
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid, , home = ''] = line.trim().split(':')
    return name && isId(uid) && isId(gid) ? [{ name, uid: Number(uid), gid: Number(gid), home }] : []
  })
}

/** group(5). Lines that are not of its form are skipped. */
export function parseGroups(text: string): GroupEntry[] {
  return text.split('\n').flatMap((line) => {
    const [name, , gid, members = ''] = line.trim().split(':')
    return name && isId(gid) ? [{ name, gid: Number(gid), members: members.split(',').filter(Boolean) }] : []
  })
}

function isId(text: string | undefined): text is string {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) <= MAX_ID
}
