import type { Socket } from 'node:net'

const LIMIT = 2 ** 20

/** The lines that come in, until the other side ends. @throws what ends the socket, and for a line without end */
export async function* lines(socket: Socket): AsyncGenerator<string, void, undefined> {
  socket.setEncoding('utf8')
  let text = ''
  for await (const chunk of socket) {
    text += chunk
    const complete = text.split('\n')
    text = complete.pop()!
    yield* complete
    if (text.length > LIMIT) throw new Error('a line is too long')
  }
}
