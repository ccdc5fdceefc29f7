import { kubeconfigFor } from '../control-plane.ts';
import { kubeletVersion, nodeLabDir } from '../settings.ts';
import type { NodeFiles } from './files.ts';
import type { LabNode } from './nodes.ts';

/** kubelet's unit and files as kubeadm 1.23 and its packages leave them on a node with Docker. */
export function kubeletFiles(node: LabNode): NodeFiles {
  return {
    'lib/systemd/system/kubelet.service': `[Unit]
Description=kubelet: The Kubernetes Node Agent
Documentation=https://kubernetes.io/docs/home/
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=/usr/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target
`,
    'etc/systemd/system/kubelet.service.d/10-kubeadm.conf': `# Note: This dropin only works with kubeadm and kubelet v1.11+
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
# This is a file that "kubeadm init" and "kubeadm join" generates at runtime, populating the KUBELET_KUBEADM_ARGS variable dynamically
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
# This is a file that the user can use for overrides of the kubelet args as a last resort. Preferably, the user should use
# the .NodeRegistration.KubeletExtraArgs object in the configuration files instead. KUBELET_EXTRA_ARGS should be sourced from this file.
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
`,
    'etc/default/kubelet': `KUBELET_EXTRA_ARGS=--node-ip=${node.address}\n`,
    'var/lib/kubelet/kubeadm-flags.env':
      'KUBELET_KUBEADM_ARGS="--network-plugin=cni --pod-infra-container-image=k8s.gcr.io/pause:3.6"\n',
    'var/lib/kubelet/config.yaml': `apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
cgroupDriver: systemd
clusterDNS:
- 10.96.0.10
clusterDomain: cluster.local
healthzBindAddress: 127.0.0.1
healthzPort: 10248
kind: KubeletConfiguration
rotateCertificates: true
staticPodPath: /etc/kubernetes/manifests
`,
    'etc/kubernetes/kubelet.conf': kubeconfigFor(`system:node:${node.name}`),
    'etc/kubernetes/manifests/node-probe.yaml': `apiVersion: v1
kind: Pod
metadata:
  name: node-probe
  namespace: kube-system
  labels:
    component: node-probe
spec:
  hostNetwork: true
  containers:
  - name: node-probe
    image: docker.io/library/lab-workload:1
`,
    [`${nodeLabDir.slice(1)}/kubelet-version`]: `v${kubeletVersion}\n`,
  };
}
