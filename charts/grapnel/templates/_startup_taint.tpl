{{/* Waits for the plugin, removes the taint and stays, since a container that ends would be started again. The only one
     with a token. */}}
{{- define "grapnel.startupTaint" -}}
- name: startup-taint
  image: {{ include "grapnel.image" (dict "image" .Values.kubectl.image "tag" "") }}
  imagePullPolicy: {{ .Values.kubectl.image.pullPolicy }}
  command: [/tools/grapnel, probe, ready, --wait, --, kubectl, taint, node, $(NODE_NAME), {{ .Values.startupTaint.key }}-]
  env:
    - {name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
  securityContext:
    {{- include "grapnel.securityContext" (dict "root" . "uid" 0) | nindent 4 }}
  resources: {{ toJson .Values.startupTaint.resources }}
  volumeMounts:
    - {name: settings, mountPath: /etc/grapnel, readOnly: true}
    - {name: run, mountPath: /run/grapnel, readOnly: true}
    - {name: tools, mountPath: /tools, readOnly: true}
    - {name: api-token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
{{- end -}}
