{{/* Waits for the plugin, removes the taint and stays, since a container that ends would be started again. A node without the
     taint is as good; one that is registered anew while the pod stays has it anew. The only container with a token. */}}
{{- define "grapnel.startupTaint" -}}
- name: startup-taint
  image: {{ include "grapnel.image" (dict "image" .Values.kubectl.image "tag" "") }}
  imagePullPolicy: {{ .Values.kubectl.image.pullPolicy }}
  command:
    - /tools/grapnel
    - probe
    - ready
    - --wait
    - --accept={{ printf "taint %q not found" .Values.startupTaint.key }}
    - --again={{ .Values.startupTaint.againSeconds }}
    - --
    - kubectl
    - taint
    - node
    - $(NODE_NAME)
    - {{ .Values.startupTaint.key }}-
  env:
    {{- include "grapnel.pluginEnv" . | nindent 4 }}
  securityContext:
    {{- include "grapnel.securityContext" (dict "root" . "uid" 0) | nindent 4 }}
  resources: {{ toJson .Values.startupTaint.resources }}
  volumeMounts:
    - {name: settings, mountPath: /etc/grapnel, readOnly: true}
    - {name: run, mountPath: /run/grapnel, readOnly: true}
    - {name: tools, mountPath: /tools, readOnly: true}
    - {name: api-token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
{{- end -}}
