{{/* Whether profiles of AppArmor are a field of containers here, and no annotation of the pod. */}}
{{- define "grapnel.appArmorField" -}}
{{- if semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version }}yes{{ end -}}
{{- end -}}

{{- define "grapnel.enableNri" -}}
- name: enable-nri
  image: {{ include "grapnel.image" (dict "image" .Values.enableNri.image "tag" "") }}
  imagePullPolicy: {{ .Values.enableNri.image.pullPolicy }}
  command: [/bin/sh, /enable-nri/enable-nri.sh]
  env:
    - {name: CONFIG_DIR, value: /containerd}
    - {name: HOST_CONFIG_DIR, value: {{ .Values.enableNri.configDir }}}
    {{- if .Values.enableNri.restart }}
    - {name: RESTART_UNIT, value: {{ .Values.enableNri.unit }}}
    - {name: HOST_ROOT, value: /host}
    {{- end }}
  securityContext:
    {{- if .Values.enableNri.restart }}
    {{- /* chroot, to speak to the host's systemd through D-Bus, which AppArmor's profiles for containers forbid */}}
    {{- include "grapnel.securityContext" (dict "root" . "uid" 0) | replace "{drop: [ALL]}" "{drop: [ALL], add: [SYS_CHROOT]}" | nindent 4 }}
    {{- if include "grapnel.appArmorField" . }}
    appArmorProfile: {type: Unconfined}
    {{- end }}
    {{- else }}
    {{- include "grapnel.securityContext" (dict "root" . "uid" 0) | nindent 4 }}
    {{- end }}
  resources: {{ toJson .Values.hookPrograms.resources }}
  volumeMounts:
    - {name: enable-nri, mountPath: /enable-nri, readOnly: true}
    - {name: containerd, mountPath: /containerd}
    {{- if .Values.enableNri.restart }}
    - {name: host-root, mountPath: /host, readOnly: true}
    {{- end }}
{{- end -}}
