{{/* Annotations of a hook of the release: {hook, weight}. Hooks that succeeded are removed. */}}
{{- define "grapnel.hook" -}}
helm.sh/hook: {{ .hook }}
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
