import type { WireProbe } from '../../../api/raind/index.ts'

/** `http-get http://:80/ delay=0s timeout=1s period=10s #success=1 #failure=3` */
export function probeText(probe: WireProbe | undefined): string | undefined {
  if (probe === undefined) return undefined
  const { initialDelaySeconds = 0, timeoutSeconds = 1, periodSeconds = 10 } = probe
  const times = `delay=${initialDelaySeconds}s timeout=${timeoutSeconds}s period=${periodSeconds}s`
  return `${actionText(probe)} ${times} #success=${probe.successThreshold ?? 1} #failure=${probe.failureThreshold ?? 3}`
}

function actionText({ exec, httpGet, tcpSocket, grpc }: WireProbe): string {
  if (exec) return `exec [${(exec.command ?? []).join(' ')}]`
  if (httpGet) {
    const { scheme = 'HTTP', host = '', port, path = '/' } = httpGet
    return `http-get ${scheme.toLowerCase()}://${host}:${port}${path}`
  }
  if (tcpSocket) return `tcp-socket ${tcpSocket.host ?? ''}:${tcpSocket.port}`
  return grpc ? `grpc <pod>:${grpc.port} ${grpc.service ?? ''}`.trimEnd() : 'unknown'
}
