import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NetlinkMessage, NLM_F, readAttributes } from './netlink.ts'
import { addAddress, getLink, listAddresses, openRouteSocket } from './rtnetlink.ts'

test('a message is laid out as netlink(7) says', () => {
  const bytes = new NetlinkMessage('test', 16, NLM_F.CREATE)
    .u32(7)
    .attributeText(3, 'ab')
    .nested(18, (info) => info.attributeU8(1, 9))
    .encode(5)
  assert.equal(
    bytes.toString('hex'),
    // length, type, flags (request, ack, create), sequence, port
    '28000000' +
      '1000' +
      '0504' +
      '05000000' +
      '00000000' +
      // the header's u32; a text of 3 bytes, padded; a nested attribute with one of 1 byte, padded
      '07000000' +
      '07000300' +
      '61620000' +
      '0c001280' +
      '05000100' +
      '09000000',
  )
})

test('a message grows as it must, and its attributes are read back', () => {
  const message = new NetlinkMessage('test', 16, 0)
  for (let type = 1; type <= 300; type++) message.attributeU32(type, type * 3)
  const attributes = readAttributes(message.encode(1).subarray(16))
  assert.equal(attributes.size, 300)
  assert.equal(attributes.get(300)!.readUInt32LE(), 900)
})

test('the kernel answers queries, and says why it refuses', () => {
  using socket = openRouteSocket()
  const lo = getLink(socket, 'lo')
  assert.deepEqual({ index: lo.index, name: lo.name }, { index: 1, name: 'lo' })
  assert.ok(listAddresses(socket, 4).every(({ address }) => /^\d+\.\d+\.\d+\.\d+$/.test(address)))
  assert.throws(() => getLink(socket, 'no-such-link'), { code: 'ENODEV', message: /find link no-such-link/ })
  assert.throws(() => socket.request(addAddress(999_999, '10.0.0.1/24')), { name: 'SysError', message: /add address/ })
})
