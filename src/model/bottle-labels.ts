/** What containers, networks and volumes of a bottle bear: Compose's own, so that its tools know them (compose-go, api/labels.go). */
export const BOTTLE_LABELS = {
  bottle: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  /** Of the replicas of a service, from 1. */
  number: 'com.docker.compose.container-number',
  /** A digest of what the service said when the container was made. */
  configHash: 'com.docker.compose.config-hash',
  image: 'com.docker.compose.image',
  dependsOn: 'com.docker.compose.depends_on',
  oneOff: 'com.docker.compose.oneoff',
  network: 'com.docker.compose.network',
  volume: 'com.docker.compose.volume',
} as const
