import { SysError } from './libc.ts'

const AF_UNIX = 1
const PATH_BYTES = 107
const ENAMETOOLONG = 36

/** The `sockaddr_un` of a socket file. @throws {SysError} `ENAMETOOLONG` beyond 107 bytes */
export function unixAddress(path: string): Buffer {
  const length = Buffer.byteLength(path)
  if (length > PATH_BYTES) throw new SysError(`name a socket ${path}`, ENAMETOOLONG)
  const address = Buffer.alloc(2 + length + 1)
  address.writeUInt16LE(AF_UNIX, 0)
  address.write(path, 2)
  return address
}
