{{/* The name that all objects begin with. */}}
{{- define "entrepot.name" -}}
{{- if contains "entrepot" .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-entrepot{{ end }}
{{- end }}

{{/* Labels that never change: they select pods. (root, component) */}}
{{- define "entrepot.selector" -}}
app.kubernetes.io/name: entrepot
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- if .component }}
app.kubernetes.io/component: {{ .component }}
{{- end }}
{{- end }}

{{- define "entrepot.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "entrepot.hasAccounts" -}}
{{ if .Values.accounts.secret }}yes{{ end }}
{{- end }}

{{- define "entrepot.hasUpstreams" -}}
{{ if .Values.upstreams }}yes{{ end }}
{{- end }}

{{/* The program that serves clients: its pods are behind the Service of clients. */}}
{{- define "entrepot.front" -}}
{{ if eq .Values.mode "single" }}standalone{{ else }}gateway{{ end }}
{{- end }}

{{/* A file that a value has as text or as YAML. */}}
{{- define "entrepot.text" -}}
{{ if kindIs "string" . }}{{ . | trim }}{{ else }}{{ toYaml . }}{{ end }}
{{- end }}
