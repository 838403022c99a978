{{/* A service of the cluster: its Deployment, the headless Service by which its callers find each replica, and its disruption
budget. (root, component, program, port) */}}
{{- define "entrepot.service" -}}
{{- $name := printf "%s-%s" (include "entrepot.name" .root) .component -}}
{{- $values := index .root.Values .component -}}
{{- $graceful := int $values.drainTimeoutSeconds -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels:
    {{- include "entrepot.selector" . | nindent 4 }}
spec:
  replicas: {{ $values.replicas }}
  revisionHistoryLimit: 3
  # Longer than the answers of the cluster's DNS are remembered (30 s), and 5 s more until callers ask it again: if both
  # old pods ended sooner, callers would know no pod that lives.
  minReadySeconds: 45
  # A pod ends only after its successor is ready. No pod holds anything that another one could not take over.
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  selector:
    matchLabels:
      {{- include "entrepot.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "entrepot.selector" . | nindent 8 }}
        {{- with .root.Values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        {{- include "entrepot.annotations" . | nindent 8 }}
    spec:
      {{- include "entrepot.pod" . | nindent 6 }}
      # drain_timeout of the configuration, and 15 s to end.
      terminationGracePeriodSeconds: {{ add $graceful 15 }}
      {{- include "entrepot.spread" . | nindent 6 }}
      containers:
        - name: {{ .component }}
          {{- include "entrepot.container" . | nindent 10 }}
          ports:
            - {name: grpc, containerPort: {{ .port }}}
            - {name: operator, containerPort: 5001}
          volumeMounts:
            {{- include "entrepot.mounts" . | trim | nindent 12 }}
      volumes:
        {{- include "entrepot.volumes" . | trim | nindent 8 }}
---
# Headless: each address of the name is a replica. Callers choose among them by themselves, and leave out those that do not serve.
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}
  labels:
    {{- include "entrepot.selector" . | nindent 4 }}
spec:
  clusterIP: None
  selector:
    {{- include "entrepot.selector" . | nindent 4 }}
  ports:
    - {name: grpc, port: {{ .port }}, targetPort: grpc}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $name }}
  labels:
    {{- include "entrepot.selector" . | nindent 4 }}
spec:
  maxUnavailable: 1
  # A pod that is not ready serves nothing: it must not keep a node from being drained.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "entrepot.selector" . | nindent 6 }}
{{- end }}
