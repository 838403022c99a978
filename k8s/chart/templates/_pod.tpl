{{/* What every pod has, up to its containers. (root, component) */}}
{{- define "entrepot.pod" -}}
serviceAccountName: {{ include "entrepot.name" .root }}
# No process speaks to the API server.
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
{{- end }}

{{/* Replicas are on several nodes and zones if there are any. Pods of an older ReplicaSet do not count. (root, component) */}}
{{- define "entrepot.spread" -}}
topologySpreadConstraints:
{{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "entrepot.selector" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end }}

{{/* What every container has. (root, component, program, config) */}}
{{- define "entrepot.container" -}}
image: {{ include "entrepot.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
args: [{{ .program }}, --config=/etc/entrepot/config/{{ .component }}.yaml]
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
# The operator's port has a thread of its own, so a busy process answers. /healthz depends on nothing else: a process is killed
# if it hangs, not if its database is away. It answers while RocksDB replays its log, so a long start is no failure either.
startupProbe:
  httpGet: {path: /healthz, port: operator}
  periodSeconds: 2
  failureThreshold: 30
livenessProbe:
  httpGet: {path: /healthz, port: operator}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
# 200 while content can be pulled. A process that can only be pulled from stays in its Service, and raises an alert.
readinessProbe:
  httpGet: {path: /readyz, port: operator}
  periodSeconds: 5
  timeoutSeconds: 2
  failureThreshold: 2
# No limit on CPU: throttling would slow down the hashing of every push. The limit on memory is above the bounds of the
# configuration (docs/limits.md).
resources:
  {{- toYaml (index .root.Values (eq .component "standalone" | ternary "single" .component)).resources | nindent 2 }}
{{- end }}

{{/* The annotations of a pod: it starts again if its configuration changes, which is read once. All other files are read
again when they change. (root, component) */}}
{{- define "entrepot.annotations" -}}
checksum/config: {{ include "entrepot.config" . | sha256sum }}
{{- with .root.Values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Volumes and their mounts: (root, component) -> YAML of {volumes, mounts}, as each container wants them. */}}
{{- define "entrepot.volumes" -}}
{{- $name := include "entrepot.name" .root -}}
{{- $v := .root.Values -}}
{{- $component := .component -}}
- name: config
  configMap: {name: {{ $name }}-{{ $component }}-config}
{{- if and (include "entrepot.hasAccounts" .root) (has $component (list "standalone" "auth")) }}
- name: accounts
  secret: {secretName: {{ $v.accounts.secret }}, defaultMode: 0440}
{{- end }}
{{- if and (include "entrepot.hasAccounts" .root) (has $component (list "standalone" "auth" "manifest")) }}
- name: policy
  configMap: {name: {{ $name }}-policy}
{{- end }}
{{- if and (include "entrepot.hasAccounts" .root) $v.accounts.identityKeys (has $component (list "standalone" "auth")) }}
- name: identity-keys
  configMap: {name: {{ $v.accounts.identityKeys }}}
{{- end }}
{{- if and (include "entrepot.hasUpstreams" .root) (has $component (list "standalone" "gateway" "upstream")) }}
- name: upstreams
  configMap: {name: {{ $name }}-upstreams}
{{- end }}
{{- if and (include "entrepot.hasUpstreams" .root) (has $component (list "standalone" "upstream")) }}
{{- range $v.upstreamSecrets }}
- name: upstream-{{ . }}
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- end }}
{{- if and $v.tls.secret (has $component (list "standalone" "gateway")) }}
- name: tls
  secret: {secretName: {{ $v.tls.secret }}, defaultMode: 0440}
{{- end }}
{{- if eq $v.mode "cluster" }}
{{- if $v.peerTls }}
- name: peer-tls
  secret: {secretName: {{ $name }}-peer-{{ $component }}, defaultMode: 0440}
{{- end }}
{{- if ne $component "gateway" }}
- name: data
  emptyDir: {}
- name: postgres
  projected:
    defaultMode: 0440
    sources:
      - secret: {name: {{ required "postgres.passwordSecret names the Secret with the key password" $v.postgres.passwordSecret }}, items: [{key: password, path: password}]}
      {{- with $v.postgres.caSecret }}
      - secret: {name: {{ . }}, items: [{key: ca.crt, path: ca.crt}]}
      {{- end }}
{{- end }}
{{- if and (eq $component "blob") (or $v.s3.credentialsSecret $v.s3.caSecret) }}
- name: s3
  projected:
    defaultMode: 0440
    sources:
      {{- with $v.s3.credentialsSecret }}
      - secret: {name: {{ . }}, items: [{key: credentials, path: credentials}]}
      {{- end }}
      {{- with $v.s3.caSecret }}
      - secret: {name: {{ . }}, items: [{key: ca.crt, path: ca.crt}]}
      {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The mounts of all volumes of a pod, from their names. */}}
{{- define "entrepot.mounts" -}}
{{- $volumes := include "entrepot.volumes" . | fromYamlArray -}}
{{- if eq .component "standalone" }}
- {name: data, mountPath: /var/lib/entrepot}
{{- end }}
{{- range $volumes }}
{{- if eq .name "data" }}
- {name: data, mountPath: /var/lib/entrepot}
{{- else if hasPrefix "upstream-" .name }}
- {name: {{ .name }}, mountPath: /etc/entrepot/upstream/{{ trimPrefix "upstream-" .name }}, readOnly: true}
{{- else }}
- {name: {{ .name }}, mountPath: /etc/entrepot/{{ .name }}, readOnly: true}
{{- end }}
{{- end }}
{{- end }}
