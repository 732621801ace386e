{{/* What the chart puts into the plugin's pod beside containers. validate.yaml reads it, too: what is here, nobody gives again. */}}

{{/* Whether some container needs the program outside of the plugin's image. */}}
{{- define "grapnel.tools" -}}
{{- if or .Values.hookPrograms.images .Values.startupTaint.enabled .Values.extraInitContainers .Values.extraContainers }}yes{{ end -}}
{{- end -}}

{{/* Those that no value names. */}}
{{- define "grapnel.ownAnnotations" -}}
kubectl.kubernetes.io/default-container: grapnel
{{- if and .Values.enableNri.restart (not (include "grapnel.appArmorField" .)) }}
container.apparmor.security.beta.kubernetes.io/enable-nri: unconfined
{{- end }}
{{- if eq .Values.reload.mode "Restart" }}
checksum/rules: {{ printf "%s%s" (include "grapnel.settingsData" .) (include "grapnel.rulesData" .) | sha256sum }}
{{- end }}
{{- if and .Values.metrics.enabled .Values.metrics.scrapeAnnotations }}
prometheus.io/scrape: "true"
prometheus.io/port: {{ .Values.metrics.port | quote }}
{{- end }}
{{- end -}}

{{- define "grapnel.pluginAnnotations" -}}
{{ include "grapnel.ownAnnotations" . }}
{{- include "grapnel.podAnnotations" . }}
{{- end -}}

{{- define "grapnel.pluginEnv" -}}
- {name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
{{- end -}}

{{/* Names that containers of the chart have, or would have. */}}
{{- define "grapnel.pluginContainers" -}}
- {name: grapnel}
- {name: self}
- {name: enable-nri}
- {name: startup-taint}
{{- range .Values.hookPrograms.images }}
- {name: program-{{ .name }}}
{{- end }}
{{- end -}}

{{- define "grapnel.pluginMounts" -}}
{{- include "grapnel.ruleMounts" . | trim }}
{{- range $i, $dir := .Values.rules.hostDirs }}
- {name: host-rules-{{ $i }}, mountPath: /rules/host{{ $dir }}, readOnly: true}
{{- end }}
- {name: nri, mountPath: {{ .Values.nri.socketDir }}, readOnly: true}
- {name: run, mountPath: /run/grapnel}
- {name: state, mountPath: /var/lib/grapnel}
{{- if .Values.hostRootMount }}
- {name: host-root, mountPath: /host, readOnly: true, mountPropagation: HostToContainer}
{{- else }}
{{- range $i, $dir := .Values.hookPrograms.hostDirs }}
- {name: host-programs-{{ $i }}, mountPath: {{ include "grapnel.hostRoot" $ }}{{ $dir }}, readOnly: true}
{{- end }}
{{- with .Values.hookPrograms.crioDir }}
- {name: crio, mountPath: {{ include "grapnel.hostRoot" $ }}{{ . }}, readOnly: true, mountPropagation: HostToContainer}
{{- end }}
{{- end }}
- {name: programs, mountPath: {{ include "grapnel.hostRoot" . }}{{ .Values.hookPrograms.dir }}}
{{- if .Values.metrics.textfileDir }}
- {name: textfile, mountPath: /textfile}
{{- end }}
{{- end -}}

{{- define "grapnel.pluginVolumes" -}}
{{- include "grapnel.ruleVolumes" (dict "root" . "settings" (include "grapnel.settingsName" .) "rules" (include "grapnel.rulesName" .)) | trim }}
# The host's part, all of it: the runtime's socket, what lasts until the node starts anew, the last good rules,
# the hook programs; and what values ask for.
- {name: nri, hostPath: {path: {{ .Values.nri.socketDir }}, type: DirectoryOrCreate}}
- {name: run, hostPath: {path: /run/grapnel, type: DirectoryOrCreate}}
- {name: state, hostPath: {path: /var/lib/grapnel, type: DirectoryOrCreate}}
- {name: programs, hostPath: {path: {{ .Values.hookPrograms.dir }}, type: DirectoryOrCreate}}
{{- range $i, $dir := .Values.rules.hostDirs }}
- {name: host-rules-{{ $i }}, hostPath: {path: {{ $dir }}, type: DirectoryOrCreate}}
{{- end }}
{{- if .Values.hostRootMount }}
- {name: host-root, hostPath: {path: /, type: Directory}}
{{- else }}
{{- range $i, $dir := .Values.hookPrograms.hostDirs }}
- {name: host-programs-{{ $i }}, hostPath: {path: {{ $dir }}, type: DirectoryOrCreate}}
{{- end }}
{{- with .Values.hookPrograms.crioDir }}
- {name: crio, hostPath: {path: {{ . }}, type: DirectoryOrCreate}}
{{- end }}
{{- end }}
{{- with .Values.metrics.textfileDir }}
- {name: textfile, hostPath: {path: {{ . }}, type: DirectoryOrCreate}}
{{- end }}
{{- if include "grapnel.tools" . }}
- {name: tools, emptyDir: {sizeLimit: 32Mi}}
{{- end }}
{{- if .Values.startupTaint.enabled }}
- name: api-token
  projected:
    defaultMode: 0400
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3600}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]}
{{- end }}
{{- if .Values.enableNri.enabled }}
- {name: enable-nri, configMap: {name: {{ include "grapnel.fullname" . }}-enable-nri, defaultMode: 0555}}
- {name: containerd, hostPath: {path: {{ .Values.enableNri.configDir }}, type: DirectoryOrCreate}}
{{- if and .Values.enableNri.restart (not .Values.hostRootMount) }}
- {name: host-root, hostPath: {path: /, type: Directory}}
{{- end }}
{{- end }}
{{- end -}}
