export type Values = Readonly<Record<string, unknown>>;

/** Values that matter: each switches something on, off or over. */
export const matrix: Readonly<Record<string, Values>> = {
  'the defaults': {},
  'everything there is': {
    image: { repository: 'registry.example.com:5000/cairn', digest: `sha256:${'0'.repeat(64)}` },
    imagePullSecrets: [{ name: 'registry' }],
    config: {
      location: 'https://git.example.com/ops/apt.git',
      branch: 'main',
      path: 'apt',
      interval: '1m30s',
      secretName: 'git',
      drift: 'Report',
    },
    secrets: ['git', 'debian.keys'],
    env: [{ name: 'HTTPS_PROXY', value: 'http://proxy.example.com:3128' }],
    ingress: {
      enabled: true,
      className: 'nginx',
      annotations: { 'nginx.ingress.kubernetes.io/proxy-buffering': 'off' },
      hosts: ['apt.example.com', 'debian.example.com'],
      tlsSecretName: 'apt-tls',
    },
    networkPolicy: {
      ingressFrom: [{ namespaceSelector: {} }],
      egressExcept: ['169.254.0.0/16', 'fe80::/10'],
      extraEgress: [{ ports: [{ protocol: 'TCP', port: 3128 }] }],
    },
    serviceMonitor: { enabled: true, interval: '1m', labels: { release: 'prometheus' } },
    persistence: { storageClassName: 'fast', annotations: { 'example.com/backup': 'daily' } },
    podAnnotations: { 'example.com/one': 'two' },
    podLabels: { 'example.com/team': 'apt' },
    nodeSelector: { 'kubernetes.io/arch': 'amd64' },
    tolerations: [{ key: 'disk', operator: 'Exists' }],
    affinity: { podAntiAffinity: {} },
    priorityClassName: 'system-cluster-critical',
    serviceAccount: { annotations: { 'example.com/role': 'cairn' } },
    service: { type: 'LoadBalancer', port: 8080, annotations: { 'example.com/internal': 'true' } },
  },
  'as little as possible': {
    crds: { install: false },
    rbac: { create: false },
    serviceAccount: { create: false, name: 'made-by-hand' },
    networkPolicy: { enabled: false },
    podDisruptionBudget: { enabled: false },
    persistence: { existingClaim: 'mine' },
    resources: {},
  },
  'objects that kubectl alone declares': { rbac: { declare: false } },
  'manifests without Secrets': { rbac: { secrets: false } },
  'another namespace': { namespace: 'archives', persistence: { keep: false } },
  'names of its own': {
    nameOverride: 'apt-archive',
    fullnameOverride: `long-${'n'.repeat(80)}`,
    podDisruptionBudget: { maxUnavailable: 0 },
    networkPolicy: { egressExcept: [] },
  },
  'several replicas': { replicas: 3, persistence: { accessModes: ['ReadWriteMany'] } },
  'replicas on a bucket': {
    replicas: 2,
    bucket: {
      url: 's3://example-archive/cairn',
      endpoint: 'https://s3.example.com:9000',
      region: 'eu-central-1',
      secretName: 'bucket',
      cacheSize: '20Gi',
      redirectAbove: '100MB',
      redirectEndpoint: 'https://s3.example.org',
    },
  },
  'a bucket of AWS, and a role': {
    bucket: { url: 's3://example-archive' },
    serviceAccount: { annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/cairn' } },
  },
  'an ingress without TLS': { ingress: { enabled: true, hosts: ['apt.example.com'] } },
};

/** Values that the schema refuses, and the word that its message has to have. */
export const refused: Readonly<Record<string, readonly [Values, string]>> = {
  'a value that does not exist': [{ replicaCount: 2 }, 'replicaCount'],
  'one inside of another': [{ image: { name: 'cairn' } }, 'name'],
  'a port as text': [{ service: { port: '80' } }, 'port'],
  'a digest that is none': [{ image: { digest: 'latest' } }, 'digest'],
  'a password in the URL of a repository': [
    { config: { location: 'https://me:secret@git.example.com/apt.git' } },
    'location',
  ],
  'a policy for drift that there is not': [{ config: { drift: 'Ignore' } }, 'drift'],
  'an option as the URL of a repository': [{ config: { location: '--upload-pack=x' } }, 'location'],
  'a path in the external URL': [{ externalUrl: 'https://example.com/apt' }, 'externalUrl'],
  'an ingress without a host': [{ ingress: { enabled: true } }, 'hosts'],
  'a claim that is read-only': [{ persistence: { accessModes: ['ReadOnlyMany'] } }, 'accessModes'],
  'a Secret with a path for a name': [{ secrets: ['../token'] }, 'secrets'],
  'a bucket that is none': [{ bucket: { url: 'https://s3.example.com/x' } }, 'url'],
  'credentials for no bucket': [{ bucket: { secretName: 'bucket' } }, 'secretName'],
  'a negative number of replicas': [{ replicas: -1 }, 'replicas'],
  'a budget of more Pods than there are': [
    { podDisruptionBudget: { maxUnavailable: 2 } },
    'maxUnavailable',
  ],
};
