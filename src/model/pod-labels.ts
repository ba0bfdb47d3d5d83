/** Of a pod's containers, as kubelet writes them (pkg/kubelet/types/labels.go): tools that know containers only read them. */
export const POD_LABELS = {
  name: 'io.kubernetes.pod.name',
  namespace: 'io.kubernetes.pod.namespace',
  uid: 'io.kubernetes.pod.uid',
  container: 'io.kubernetes.container.name',
} as const
