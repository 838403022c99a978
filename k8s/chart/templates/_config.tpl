{{/* The configuration file of a process: what follows, with .Values.config merged over it. (root, component) */}}
{{- define "entrepot.config" -}}
{{- $text := include (print "entrepot.config." .component) .root -}}
{{- with index .root.Values.config .component -}}
{{ mergeOverwrite (fromYaml $text) . | toYaml }}
{{- else -}}
{{ $text | trim }}
{{- end -}}
{{- end }}

{{- define "entrepot.config.listen" -}}
listen:
  address: 0.0.0.0
  port: 5000
  {{- with .Values.externalUrl }}
  external_url: {{ . | quote }}
  {{- end }}
  {{- with .Values.names }}
  names: {{ toJson . }}
  {{- end }}
  {{- with .Values.trustedProxies }}
  trusted_proxies: {{ toJson . }}
  {{- end }}
  {{- if not (include "entrepot.hasAccounts" .) }}
  # There are no accounts: everything that reaches the port may push, pull and delete.
  allow_unauthenticated: true
  {{- end }}
  {{- if .Values.tls.secret }}
  tls:
    certificate_file: /etc/entrepot/tls/tls.crt
    private_key_file: /etc/entrepot/tls/tls.key
  {{- end }}
operator: # /healthz, /readyz, /metrics
  address: 0.0.0.0
  port: 5001
{{- end }}

{{- define "entrepot.config.standalone" -}}
# entrepot: the whole registry in one process. examples/standalone.yaml of the sources has every field.
{{ include "entrepot.config.listen" . }}
data_directory: /var/lib/entrepot
{{- if include "entrepot.hasAccounts" . }}
authentication:
  accounts_file: /etc/entrepot/accounts/accounts
  policy_file: /etc/entrepot/policy/policy.yaml
{{- end }}
{{- if include "entrepot.hasUpstreams" . }}
upstreams_file: /etc/entrepot/upstreams/upstreams.yaml
{{- end }}
# No other pod takes over, so there is no drain_delay: it would only make the pause of a roll-out longer.
drain_timeout: {{ .Values.single.drainTimeoutSeconds }}s
{{- end }}

{{/* A service that is called: (root, caller, service, port) */}}
{{- define "entrepot.config.call" -}}
{{ .service }}_service:
  target: dns:///{{ include "entrepot.name" .root }}-{{ .service }}:{{ .port }}
  {{- if .root.Values.peerTls }}
  tls:
    {{- include "entrepot.config.peer" . | nindent 4 }}
    peers: [entrepot-{{ .service }}]
  {{- end }}
{{- end }}

{{- define "entrepot.config.peer" -}}
certificate_file: /etc/entrepot/peer-tls/tls.crt
private_key_file: /etc/entrepot/peer-tls/tls.key
ca_file: /etc/entrepot/peer-tls/ca.crt
{{- end }}

{{/* The port of a service, and where its records are: (root, port, callers) */}}
{{- define "entrepot.config.service" -}}
grpc:
  address: 0.0.0.0
  port: {{ .port }}
  {{- if .root.Values.peerTls }}
  tls:
    {{- include "entrepot.config.peer" . | nindent 4 }}
    peers: [{{ range $i, $caller := .callers }}{{ if $i }}, {{ end }}entrepot-{{ $caller }}{{ end }}]
  {{- end }}
operator: # /healthz, /readyz, /metrics
  address: 0.0.0.0
  port: 5001
data_directory: /var/lib/entrepot # of this pod alone, and lost with it
records:
  postgres:
    servers: {{ toJson .root.Values.postgres.servers }}
    database: {{ .root.Values.postgres.database }}
    user: {{ .root.Values.postgres.user }}
    password_file: /etc/entrepot/postgres/password
    connections_max: {{ .root.Values.postgres.connectionsMax }}
    {{- if .root.Values.postgres.caSecret }}
    tls:
      ca_file: /etc/entrepot/postgres/ca.crt
    {{- end }}
{{- end }}

{{- define "entrepot.config.gateway" -}}
# entrepot-gateway: HTTP in front of the services. examples/gateway.yaml of the sources has every field.
{{ include "entrepot.config.listen" . }}
{{- $services := dict "blob" 5002 "manifest" 5004 }}
{{- if include "entrepot.hasAccounts" . }}{{ $_ := set $services "auth" 5006 }}{{ end }}
{{- if include "entrepot.hasUpstreams" . }}{{ $_ := set $services "upstream" 5008 }}{{ end }}
{{- range $service, $port := $services }}
{{ include "entrepot.config.call" (dict "root" $ "service" $service "port" $port) }}
{{- end }}
{{- if include "entrepot.hasUpstreams" . }}
upstreams_file: /etc/entrepot/upstreams/upstreams.yaml
{{- end }}
# After SIGTERM: connections are taken until every load balancer has noticed, then requests under way may end.
drain_delay: {{ .Values.gateway.drainDelaySeconds }}s
drain_timeout: {{ .Values.gateway.drainTimeoutSeconds }}s
{{- end }}

{{- define "entrepot.config.blob" -}}
# entrepot-blob: upload sessions and the bytes of blobs. examples/blob.yaml of the sources has every field.
{{- $callers := list "gateway" "manifest" }}
{{- if include "entrepot.hasUpstreams" . }}{{ $callers = append $callers "upstream" }}{{ end }}
{{ include "entrepot.config.service" (dict "root" . "port" 5002 "callers" $callers) }}
objects:
  s3:
    endpoint: {{ required "s3.endpoint is the URL of the S3 server" .Values.s3.endpoint | quote }}
    region: {{ .Values.s3.region }}
    bucket: {{ required "s3.bucket is required" .Values.s3.bucket }}
    {{- if .Values.s3.credentialsSecret }}
    credentials_file: /etc/entrepot/s3/credentials
    {{- end }}
    {{- if .Values.s3.caSecret }}
    ca_file: /etc/entrepot/s3/ca.crt
    {{- end }}
    upload_memory_bytes_max: 536870912 # a quarter of the memory limit of the pod
drain_timeout: {{ .Values.blob.drainTimeoutSeconds }}s
{{- end }}

{{- define "entrepot.config.manifest" -}}
# entrepot-manifest: manifests, tags, referrers, and which blobs each repository has. examples/manifest.yaml has every field.
{{- $callers := list "gateway" }}
{{- if include "entrepot.hasUpstreams" . }}{{ $callers = append $callers "upstream" }}{{ end }}
{{ include "entrepot.config.service" (dict "root" . "port" 5004 "callers" $callers) }}
{{ include "entrepot.config.call" (dict "root" . "service" "blob" "port" 5002) }}
{{- if include "entrepot.hasAccounts" . }}
policy_file: /etc/entrepot/policy/policy.yaml
{{- end }}
drain_timeout: {{ .Values.manifest.drainTimeoutSeconds }}s
{{- end }}

{{- define "entrepot.config.auth" -}}
# entrepot-auth: accounts, tokens and policy. examples/auth.yaml of the sources has every field.
{{ include "entrepot.config.service" (dict "root" . "port" 5006 "callers" (list "gateway")) }}
authentication:
  accounts_file: /etc/entrepot/accounts/accounts
  policy_file: /etc/entrepot/policy/policy.yaml
drain_timeout: {{ .Values.auth.drainTimeoutSeconds }}s
{{- end }}

{{- define "entrepot.config.upstream" -}}
# entrepot-upstream: fetches content of other registries. examples/upstream.yaml of the sources has every field.
{{ include "entrepot.config.service" (dict "root" . "port" 5008 "callers" (list "gateway")) }}
upstreams_file: /etc/entrepot/upstreams/upstreams.yaml
{{ include "entrepot.config.call" (dict "root" . "service" "blob" "port" 5002) }}
{{ include "entrepot.config.call" (dict "root" . "service" "manifest" "port" 5004) }}
drain_timeout: {{ .Values.upstream.drainTimeoutSeconds }}s
{{- end }}
