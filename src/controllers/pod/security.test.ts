import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleContainer, exampleNode } from '../../../test/fixtures/pod-example.ts'
import type { PodSecurityContext, SecurityContext } from '../../model/kube/security-context.ts'
import { memberSecurity } from './security.ts'

function securityOf(ofPod: PodSecurityContext = {}, own: SecurityContext = {}, imageUser = '', node = exampleNode()) {
  const container = exampleContainer({ securityContext: own })
  return memberSecurity({ containers: [container], securityContext: ofPod }, container, imageUser, node)
}

test('without a security context all is as the image and docker have it', () => {
  const nothing = { capAdd: [], capDrop: [], readOnlyRootfs: false }
  const options = { groupAdd: [], mergeGroups: true, privileged: false, security: {} }
  assert.deepEqual(securityOf(), { ...nothing, options })
  assert.deepEqual(memberSecurity({ containers: [] }, exampleContainer(), 'nobody', exampleNode()), {
    ...nothing,
    options,
  })
})

test('the user: the container before the pod before the image', () => {
  const cases: readonly [PodSecurityContext, SecurityContext, string, string | undefined][] = [
    [{}, {}, '1000:1000', undefined],
    [{ runAsUser: 5 }, {}, '1000', '5'],
    [{ runAsUser: 5 }, { runAsUser: 6 }, '', '6'],
    [{ runAsUser: 5, runAsGroup: 7 }, { runAsUser: 6 }, '', '6:7'],
    [{ runAsGroup: 7 }, {}, 'web:staff', 'web:7'],
    [{ runAsGroup: 7 }, {}, '', '0:7'],
    [{ runAsUser: 0, runAsGroup: 0 }, {}, '1000', '0:0'],
  ]
  for (const [ofPod, own, image, expected] of cases) {
    assert.equal(securityOf(ofPod, own, image).user, expected, JSON.stringify([ofPod, own, image]))
  }
})

test('runAsNonRoot', () => {
  const root = 'container has runAsNonRoot and image will run as root'
  const refused: readonly [PodSecurityContext, SecurityContext, string, string | RegExp][] = [
    [{ runAsNonRoot: true }, {}, '', root],
    [{}, { runAsNonRoot: true }, '0', root],
    [{}, { runAsNonRoot: true }, '0:1000', root],
    [{}, { runAsNonRoot: true }, '00', root],
    [{}, { runAsNonRoot: true }, ':1000', root],
    [{}, { runAsNonRoot: true }, 'root', /non-numeric user \(root\)/],
    [{}, { runAsNonRoot: true }, 'web:1000', /non-numeric user \(web\)/],
    [{ runAsNonRoot: true, runAsUser: 0 }, {}, '1000', /runAsUser breaks non-root policy/],
    [{ runAsNonRoot: true }, { runAsUser: 0 }, '1000', /runAsUser breaks non-root policy/],
  ]
  for (const [ofPod, own, image, message] of refused) {
    const error = { code: 'failed_precondition', message, details: { reason: 'CreateContainerConfigError' } }
    assert.throws(() => securityOf(ofPod, own, image), error, JSON.stringify([ofPod, own, image]))
  }
  securityOf({ runAsNonRoot: true }, {}, '1000')
  securityOf({ runAsNonRoot: true }, { runAsUser: 1 }, 'root')
  securityOf({ runAsNonRoot: true }, { runAsNonRoot: false }, '')
})

test('groups, capabilities and what is privileged', () => {
  const security = securityOf(
    { fsGroup: 7, supplementalGroups: [5, 6, 7] },
    {
      capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
      privileged: true,
      readOnlyRootFilesystem: true,
    },
  )
  assert.deepEqual(security.options.groupAdd, ['5', '6', '7'])
  assert.deepEqual([security.capAdd, security.capDrop], [['NET_ADMIN'], ['ALL']])
  assert.equal(security.options.privileged, true)
  assert.equal(security.readOnlyRootfs, true)
})

test('profiles and privileges', () => {
  const cases: readonly [PodSecurityContext, SecurityContext, object][] = [
    [{ seccompProfile: { type: 'RuntimeDefault' }, appArmorProfile: { type: 'RuntimeDefault' } }, {}, {}],
    [{ seccompProfile: { type: 'Unconfined' } }, {}, { seccomp: 'unconfined' }],
    [{ seccompProfile: { type: 'Unconfined' } }, { seccompProfile: { type: 'RuntimeDefault' } }, {}],
    [{}, { appArmorProfile: { type: 'Unconfined' } }, { apparmor: 'unconfined' }],
    [{ appArmorProfile: { type: 'Localhost', localhostProfile: 'mine' } }, {}, { apparmor: 'mine' }],
    [{}, { allowPrivilegeEscalation: false }, { noNewPrivileges: true }],
    [{}, { allowPrivilegeEscalation: true }, {}],
    [{}, { procMount: 'Unmasked' }, { systemPaths: 'unconfined' }],
    [{}, { procMount: 'Default' }, {}],
  ]
  for (const [ofPod, own, expected] of cases) {
    assert.deepEqual(securityOf(ofPod, own).options.security, expected, JSON.stringify([ofPod, own]))
  }
  const localhost: SecurityContext = { seccompProfile: { type: 'Localhost', localhostProfile: 'p.json' } }
  assert.throws(() => securityOf({}, localhost), { details: { reason: 'CreateContainerConfigError' } })
})

test('AppArmor by name is not gone without', () => {
  const without = exampleNode({ hasAppArmor: false })
  const asks = (type: 'RuntimeDefault' | 'Unconfined'): PodSecurityContext => ({ appArmorProfile: { type } })
  const refused = { message: /Cannot enforce AppArmor/, details: { reason: 'CreateContainerConfigError' } }
  assert.throws(() => securityOf(asks('RuntimeDefault'), {}, '', without), refused)
  assert.throws(() => securityOf(asks('Unconfined'), asks('RuntimeDefault'), '', without), refused)
  securityOf(asks('RuntimeDefault'), asks('Unconfined'), '', without)
  securityOf({}, {}, '', without)
})
