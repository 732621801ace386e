{{/* The settings, as the text of a Config. */}}
{{- define "grapnel.config" -}}
{{- $spec := deepCopy .Values.config -}}
{{- $dirs := list -}}
{{- range .Values.rules.hostDirs }}{{ $dirs = append $dirs (printf "/rules/host%s" .) }}{{ end -}}
{{- range .Values.rules.existingConfigMaps }}{{ $dirs = append $dirs (printf "/rules/configmap/%s" .) }}{{ end -}}
{{- $_ := set $spec "hooksDirs" (append $dirs "/rules/values") -}}
{{- $_ := set $spec "ownNamespace" .Release.Namespace -}}
{{- $_ := set $spec "hostRoot" (include "grapnel.hostRoot" .) -}}
{{- if ne .Values.hookPrograms.dir "/opt/grapnel/programs" }}{{ $_ := set $spec "programsDir" .Values.hookPrograms.dir }}{{ end -}}
{{- with .Values.hookPrograms.crioDir }}{{ $_ := set $spec "crioDir" . }}{{ end -}}
{{- if .Values.metrics.enabled }}{{ $_ := set $spec "metricsAddress" (printf ":%d" (int .Values.metrics.port)) }}{{ end -}}
{{- with .Values.metrics.textfileDir }}{{ $_ := set $spec "metricsTextfile" (printf "/textfile/grapnel.prom") }}{{ end -}}
{{- dict "apiVersion" "grapnel/v1beta1" "kind" "Config" "spec" $spec | toYaml -}}
{{- end -}}

{{/* The policy of the values, with the release's namespace exempt. */}}
{{- define "grapnel.policy" -}}
{{- $spec := deepCopy .Values.policy.spec -}}
{{- $exempt := default list $spec.exemptNamespaces -}}
{{- if not (has .Release.Namespace $exempt) }}{{ $exempt = append $exempt .Release.Namespace }}{{ end -}}
{{- $_ := set $spec "exemptNamespaces" $exempt -}}
{{- dict "apiVersion" "grapnel/v1beta1" "kind" "Policy" "spec" $spec | toYaml -}}
{{- end -}}

{{- define "grapnel.settingsData" -}}
config.yaml: {{ include "grapnel.config" . | toJson }}
{{- if not .Values.policy.existingConfigMap }}
policy.yaml: {{ include "grapnel.policy" . | toJson }}
{{- end }}
{{- end -}}

{{/* A text for each file; what values took out with null is gone. */}}
{{- define "grapnel.rulesData" -}}
{{- range $name, $text := .Values.rules.files }}{{ if not (kindIs "invalid" $text) }}
{{ $name }}: {{ toJson $text }}
{{- end }}{{ end }}
{{- end -}}

{{/* In mode Restart a ConfigMap's name says what is in it: an old pod keeps the old one. */}}
{{- define "grapnel.configMapSuffix" -}}
{{- if eq .root.Values.reload.mode "Restart" }}-{{ .data | sha256sum | trunc 10 }}{{ end -}}
{{- end -}}
{{- define "grapnel.settingsName" -}}
{{ include "grapnel.fullname" . }}-settings{{ include "grapnel.configMapSuffix" (dict "root" . "data" (include "grapnel.settingsData" .)) }}
{{- end -}}
{{- define "grapnel.rulesName" -}}
{{ include "grapnel.fullname" . }}-rules{{ include "grapnel.configMapSuffix" (dict "root" . "data" (include "grapnel.rulesData" .)) }}
{{- end -}}

{{/* Volumes of settings, policy and rules: {root, settings, rules}, the names of the two ConfigMaps. */}}
{{- define "grapnel.ruleVolumes" -}}
- name: settings
  projected:
    defaultMode: 0444
    sources:
      - configMap: {name: {{ .settings }}}
      {{- with .root.Values.policy.existingConfigMap }}
      - configMap: {name: {{ . }}, items: [{key: policy.yaml, path: policy.yaml}]}
      {{- end }}
- name: rules
  configMap: {name: {{ .rules }}, defaultMode: 0444}
{{- range $i, $name := .root.Values.rules.existingConfigMaps }}
- name: rules-{{ $i }}
  configMap: {name: {{ $name }}, defaultMode: 0444}
{{- end }}
{{- end -}}

{{- define "grapnel.ruleMounts" -}}
- {name: settings, mountPath: /etc/grapnel, readOnly: true}
- {name: rules, mountPath: /rules/values, readOnly: true}
{{- range $i, $name := .Values.rules.existingConfigMaps }}
- {name: rules-{{ $i }}, mountPath: /rules/configmap/{{ $name }}, readOnly: true}
{{- end }}
{{- end -}}
