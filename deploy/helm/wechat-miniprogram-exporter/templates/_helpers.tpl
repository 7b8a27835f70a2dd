{{- define "exporter.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "exporter.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "exporter.labels" -}}
{{ include "exporter.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "exporter.config" -}}
{{- $storage := dict "url" "memory://" -}}
{{- if .Values.redis.url -}}
{{- $storage = dict "url" .Values.redis.url -}}
{{- if .Values.redis.existingSecret -}}
{{- $storage = merge $storage (dict "password_file" "storage/password" "encryption_key_file" "storage/encryption-key") -}}
{{- end -}}
{{- else if .Values.persistence.enabled -}}
{{- $storage = dict "url" "sqlite:////data/exporter.db" -}}
{{- end -}}
{{- merge (dict "storage" $storage) .Values.config | toYaml -}}
{{- end -}}

{{- define "exporter.checks" -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.redis.url) -}}
{{- fail "replicas: more than one exporter for a shard needs a Redis that both share: set redis.url" -}}
{{- end -}}
{{- if and .Values.ticketCallback.ingress.enabled (gt (int .Values.shards) 1) (not .Values.redis.url) -}}
{{- fail "ticketCallback: a pushed ticket reaches one pod, so several shards need a Redis that they share: set redis.url" -}}
{{- end -}}
{{- end -}}
