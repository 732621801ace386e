{{/* Annotations of a hook of the release: {hook, weight}. Hooks that succeeded are removed. What one says
     that failed is printed by helm 3.18 and later. */}}
{{- define "grapnel.hook" -}}
helm.sh/hook: {{ .hook }}
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
helm.sh/hook-output-log-policy: hook-failed
{{- end -}}
