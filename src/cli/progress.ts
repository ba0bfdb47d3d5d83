import type { WireProgress } from '../api/raind/index.ts'
import { bytes } from './format.ts'

export interface ProgressView extends Disposable {
  update(event: WireProgress): void
}

const REDRAW_MS = 80
const BAR = 24

/** One line a layer, redrawn in place on a terminal; elsewhere one line for each layer that is done. */
export function progressView(out: NodeJS.WriteStream, { quiet }: { quiet: boolean }): ProgressView {
  const layers = new Map<string, Extract<WireProgress, { type: 'layer' }>>()
  let drawn = 0
  let lastDraw = 0

  const draw = () => {
    const up = drawn > 0 ? `\x1b[${drawn}A` : ''
    const lines = [...layers.values()].map((layer) => `\x1b[2K${line(layer)}\n`)
    out.write(up + lines.join(''))
    drawn = lines.length
    lastDraw = Date.now()
  }
  return {
    update(event) {
      if (quiet || event.type !== 'layer') return
      const before = layers.get(event.digest)?.status
      layers.set(event.digest, event)
      const settled = ['done', 'exists', 'mounted'].includes(event.status)
      if (!out.isTTY) {
        if (settled && before !== event.status) out.write(`${line(event)}\n`)
      } else if (before !== event.status || Date.now() - lastDraw > REDRAW_MS) draw()
    },
    [Symbol.dispose]() {
      if (!quiet && out.isTTY && layers.size > 0) draw()
    },
  }
}

function line({ digest, status, currentBytes, totalBytes }: Extract<WireProgress, { type: 'layer' }>): string {
  const name = digest.slice('sha256:'.length, 'sha256:'.length + 12)
  if (!['downloading', 'unpacking', 'uploading'].includes(status)) return `${name}  ${status}`
  const filled = totalBytes > 0 ? Math.min(BAR, Math.floor((currentBytes / totalBytes) * BAR)) : 0
  return `${name}  ${status.padEnd(11)}  [${'='.repeat(filled)}${' '.repeat(BAR - filled)}]  ${bytes(currentBytes)}/${bytes(totalBytes)}`
}
