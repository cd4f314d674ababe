{{- define "cairn.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "cairn.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "cairn.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "cairn.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "cairn.selector" -}}
app.kubernetes.io/name: {{ include "cairn.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "cairn.labels" -}}
{{ include "cairn.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "cairn.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "cairn.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "cairn.namespace" -}}
{{- default .Release.Namespace .Values.namespace }}
{{- end }}

{{- define "cairn.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "cairn.claimName" -}}
{{- default (printf "%s-data" (include "cairn.fullname" . | trunc 58)) .Values.persistence.existingClaim }}
{{- end }}

{{- define "cairn.vaultName" -}}
{{- printf "%s-vault" (include "cairn.fullname" . | trunc 57 | trimSuffix "-") }}
{{- end }}

{{- /* Several replicas need a bucket, or one volume that all of them can write; and a Lease. */ -}}
{{- define "cairn.elects" -}}
{{- if gt (int .Values.replicas) 1 }}
{{- if not (or .Values.bucket.url .Values.persistence.existingClaim (has "ReadWriteMany" .Values.persistence.accessModes)) }}
{{- fail "replicas: more than one need a volume that all of them can write: set persistence.accessModes to [ReadWriteMany], persistence.existingClaim, or bucket.url" }}
{{- end }}
{{- print "true" }}
{{- end }}
{{- end }}

{{- /* Behind an ingress, requests come from its address: Cairn has to know that clients don't. */ -}}
{{- define "cairn.externalUrl" -}}
{{- if .Values.externalUrl }}
{{- .Values.externalUrl }}
{{- else if and .Values.ingress.enabled .Values.ingress.hosts }}
{{- ternary "https" "http" (ne .Values.ingress.tlsSecretName "") }}://{{ first .Values.ingress.hosts }}
{{- end }}
{{- end }}

{{- /* The options of `cairn run`, as a list. */ -}}
{{- define "cairn.args" -}}
- run
- --kubernetes
- --namespace={{ include "cairn.namespace" . }}
{{- if include "cairn.elects" . }}
- --elect
- --advertise=$(POD_IP)
{{- end }}
- --data=/var/lib/cairn
- --listen=:8080
{{- with .Values.bucket }}
{{- if .url }}
- {{ printf "--bucket=%s" .url | quote }}
{{- with .endpoint }}
- --bucket-endpoint={{ . }}
{{- end }}
{{- with .region }}
- --bucket-region={{ . }}
{{- end }}
- --cache-size={{ .cacheSize }}
{{- with .redirectAbove }}
- --redirect-above={{ . }}
{{- end }}
{{- with .redirectEndpoint }}
- --redirect-endpoint={{ . }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.builds }}
{{- if .docker.host }}
- {{ printf "--docker=%s" .docker.host | quote }}
{{- if .docker.tlsSecretName }}
- --docker-tls=/etc/cairn/docker
{{- end }}
{{- with .docker.toolbox }}
- {{ printf "--docker-toolbox=%s" . | quote }}
{{- end }}
- --docker-concurrency={{ .concurrency }}
{{- end }}
{{- end }}
- --log-format={{ .Values.log.format }}
- --log-level={{ .Values.log.level }}
{{- with include "cairn.externalUrl" . }}
- --external-url={{ . }}
{{- end }}
{{- with .Values.config }}
{{- if .location }}
- {{ printf "--config=%s" .location | quote }}
{{- with .branch }}
- {{ printf "--branch=%s" . | quote }}
{{- end }}
{{- with .path }}
- {{ printf "--path=%s" . | quote }}
{{- end }}
{{- with .interval }}
- --config-interval={{ . }}
{{- end }}
{{- with .secretName }}
- --config-secret={{ . }}
{{- end }}
{{- with .drift }}
- --config-drift={{ . }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
