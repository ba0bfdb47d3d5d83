import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, afterEach, before, describe, test } from 'node:test'
import { cgroupLimit } from '../support/cgroup-limit.ts'
import { type DaemonFixture, daemonFixture, runContainer, runToEnd } from '../support/daemon-fixture.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const MIB = 2 ** 20

for (const runtime of ['crun', 'runc'] as const)
  describe(`limits of a container with ${runtime}`, () => {
    let fixture: DaemonFixture
    before(async () => {
      fixture = await daemonFixture({ runtime })
    })
    afterEach(() => fixture.clear())
    after(() => fixture[Symbol.asyncDispose]())

    const api = () => fixture.daemon.api
    const inspect = async (ref: string) => (await api().get(`/v1/containers/${ref}/inspect`)).json.data
    const remove = (ref: string) => api().delete(`/v1/containers/${ref}/actions/delete?force=true`)
    const say = async (script: string, body: object = {}) =>
      (await runToEnd(fixture, { command: ['sh', '-c', `exec 2>&1; ${script}`], ...body })).output

    test('shm size, ulimits, sysctls, groups, out-of-memory score', async () => {
      const script = `df -k /dev/shm | tail -1 | awk '{print $2}'; ulimit -Sn; ulimit -Hn; ulimit -c; ulimit -Hs
        cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_forward /proc/sys/fs/mqueue/msg_max; id -G; cat /proc/self/oom_score_adj`
      const body = {
        shmSize: '8m',
        ulimits: ['nofile=100:200', 'core=0', 'stack=8388608:-1'],
        sysctls: { 'kernel.msgmax': '4096', 'net.ipv4.ip_forward': '1', 'fs.mqueue.msg_max': '20' },
        groupAdd: ['extra', '4242'],
        oomScoreAdj: 321,
      }
      assert.equal(await say(script, body), '8192\n100\n200\n0\nunlimited\n4096\n1\n20\n0 2000 4242\n321\n')
      const id = await runContainer(fixture, { command: ['sleep', '1000'], ...body })
      const exec = await api().post(`/v1/containers/${id}/actions/exec`, {
        command: ['sh', '-c', 'ulimit -Hs; id -G'],
        user: 'app',
        wait: true,
      })
      assert.equal(exec.json.data.stdout, 'unlimited\n1000 2000 4242\n')
      const { spec } = await inspect(id)
      assert.deepEqual(
        [spec.shmBytes, spec.sysctls, spec.groupAdd, spec.oomScoreAdj, spec.ulimits[2]],
        [8 * MIB, body.sysctls, body.groupAdd, 321, { name: 'stack', soft: 8388608, hard: -1 }],
      )
    })

    test('memory with swap and reservation, CPU weight and set; all of them updated while it runs', async () => {
      const id = await runContainer(fixture, {
        command: ['sleep', '1000'],
        memory: '64m',
        memorySwap: '80m',
        memoryReservation: '32m',
        cpuShares: 512,
        cpusetCpus: '0',
        cpusetMems: '0',
      })
      const { pid } = (await inspect(id)).status
      const limits = () => ({
        memory: Number(cgroupLimit(pid, 'memory', 'memory.limit_in_bytes', 'memory.max')) / MIB,
        reservation: Number(cgroupLimit(pid, 'memory', 'memory.soft_limit_in_bytes', 'memory.low')) / MIB,
        swap: cgroupSwap(pid),
        cpus: cgroupLimit(pid, 'cpuset', 'cpuset.cpus', 'cpuset.cpus'),
        quota: cgroupLimit(pid, 'cpu', 'cpu.cfs_quota_us', 'cpu.max').split(' ')[0],
        pids: cgroupLimit(pid, 'pids', 'pids.max', 'pids.max'),
      })
      const created = { memory: 64, reservation: 32, swap: 80, cpus: '0', pids: 'max' }
      assert.partialDeepStrictEqual(limits(), created)
      assert.match(limits().quota!, /^(-1|max)$/)
      const shares = () => cgroupLimit(pid, 'cpu', 'cpu.shares', 'cpu.weight')
      assert.match(shares(), /^(512|20)$/)

      const update = (body: object) => api().post(`/v1/containers/${id}/actions/update`, body)
      const answer = await update({ memory: '128m', memorySwap: '256m', cpus: 0.5, cpuShares: 2048, pids: 30 })
      assert.equal(answer.status, 200, answer.text)
      const updated = { memory: 128, reservation: 32, swap: 256, cpus: '0', quota: '50000', pids: '30' }
      assert.deepEqual(limits(), updated)
      assert.match(shares(), /^(2048|79)$/)
      assert.equal((await update({ memory: '1m' })).status, 400)
      assert.equal((await update({ memoryReservation: '1g' })).status, 400)
      assert.equal((await update({ cpusetCpus: '4000' })).status, 400)
      assert.equal((await update({})).status, 400)
      assert.deepEqual(limits(), updated)
      assert.deepEqual((await inspect(id)).spec.resources, {
        memoryBytes: 128 * MIB,
        memorySwapBytes: 256 * MIB,
        memoryReservationBytes: 32 * MIB,
        milliCpus: 500,
        cpuShares: 2048,
        cpusetCpus: '0',
        cpusetMems: '0',
        pids: 30,
      })
      await api().post(`/v1/containers/${id}/actions/restart?timeout=0`)
      const again = (await inspect(id)).status.pid
      assert.equal(cgroupLimit(again, 'pids', 'pids.max', 'pids.max'), '30')
    })

    test('the limits of a stopped container are for its next start', async () => {
      const { id } = (await api().post('/v1/containers', { image: fixture.image, command: ['sleep', '1000'] })).json
        .data
      assert.equal((await api().post(`/v1/containers/${id}/actions/update`, { pids: 7 })).status, 200)
      await api().post(`/v1/containers/${id}/actions/start`, {})
      assert.equal(cgroupLimit((await inspect(id)).status.pid, 'pids', 'pids.max', 'pids.max'), '7')
    })

    if (runtime === 'crun')
      test('what cannot be is refused', async () => {
        const cases: readonly [object, RegExp][] = [
          [{ memorySwap: '64m' }, /includes the memory limit, so give that too/],
          [{ memory: '64m', memorySwap: '32m' }, /must not be below it/],
          [{ memory: '64m', memoryReservation: '65m' }, /must not be above the memory limit/],
          [{ cpusetCpus: '4000' }, /this host has 0/],
          [{ cpusetMems: 'x' }, /want numbers and ranges/],
          [{ ulimits: ['nofile=2:1'] }, /soft limit is above the hard one/],
          [{ ulimits: ['nofiles=1'] }, /did you mean nofile\?/],
          [{ sysctls: { 'kernel.panic': '1' } }, /would change the host/],
          [{ sysctls: { 'vm/swappiness': '1' } }, /want a name such as/],
          [{ oomScoreAdj: 1001 }, /at most 1000/],
          [{ shmSize: '-1' }, /Invalid size of \/dev\/shm/],
        ]
        for (const [body, message] of cases) {
          const answer = await api().post('/v1/containers', { image: fixture.image, ...body })
          assert.equal(answer.status, 400, `${JSON.stringify(body)}: ${answer.text}`)
          assert.match(answer.json.message, message)
        }
      })

    test('what only the kernel can refuse is the caller’s fault too', async () => {
      for (const body of [
        { sysctls: { 'net.ipv4.no_such': '1' } },
        { sysctls: { 'kernel.msgmax': 'many' } },
        { ulimits: ['nofile=2000000000000'] },
        { groupAdd: ['nobody-here'] },
      ]) {
        const { id } = (await api().post('/v1/containers', { image: fixture.image, command: ['true'], ...body })).json
          .data
        const answer = await api().post(`/v1/containers/${id}/actions/start`, {})
        assert.equal(
          answer.status,
          400,
          `${JSON.stringify(body)}: ${answer.text} ${(await inspect(id)).status.message}`,
        )
        await remove(id)
      }
    })
  })

/** Memory and swap together, in MiB, in the words of version 1: version 2 counts swap alone. */
function cgroupSwap(pid: number): number {
  const swap = Number(cgroupLimit(pid, 'memory', 'memory.memsw.limit_in_bytes', 'memory.swap.max'))
  const isV2 = readFileSync(`/proc/${pid}/cgroup`, 'utf8').startsWith('0::')
  return (swap + (isV2 ? Number(cgroupLimit(pid, 'memory', '', 'memory.max')) : 0)) / MIB
}
