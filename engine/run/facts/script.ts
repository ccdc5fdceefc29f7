import { type Script, sh } from '../../base/sh.ts';

/** What starts a section in the answer to {@link factsScript}: the section's name follows it. */
export const sectionMark = '##facts:';

/**
 * One read-only script for all facts: POSIX sh, coreutils or busybox, and `ip`, `systemctl` and `timeout` where they are.
 * It asks no container daemon, no DNS and no network file system: each of them can keep the asker waiting for ever.
 * A command that a host lacks leaves its section empty.
 */
export const factsScript: Script = sh`
section() { echo ${sectionMark}"$1"; }
PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/bin"
LC_ALL=C
export PATH LC_ALL
# Busybox before 1.30 writes the time in another way; there only the probe's own deadline holds.
limit=
if timeout 5 true 2>/dev/null; then limit='timeout 5'; fi
version() { command -v "$1" >/dev/null 2>&1 && $limit "$1" --version 2>/dev/null; }

section uname; uname -n; uname -m; uname -r
section hosts; grep -F -w -e "$(uname -n)" /etc/hosts 2>/dev/null
section os; cat /etc/os-release 2>/dev/null || cat /usr/lib/os-release 2>/dev/null
section cgroup; if [ -f /sys/fs/cgroup/cgroup.controllers ]; then echo 2; else echo 1; fi
section manager
if [ -d /run/systemd/system ]; then manager=systemd; elif [ -d /run/openrc ]; then manager=openrc; else manager=other; fi
echo "$manager"
section systemd; version systemctl
section cpus; getconf _NPROCESSORS_ONLN 2>/dev/null || nproc 2>/dev/null || grep -c '^processor' /proc/cpuinfo
section memory; grep -E '^(MemTotal|SwapTotal):' /proc/meminfo

section addresses; ip -o addr 2>/dev/null
# Asks the kernel for its choice and sends nothing. The addresses are a root name server's: no host has a route of its own to it.
section route4; ip -4 route get 198.41.0.4 2>/dev/null
section route6; ip -6 route get 2001:503:ba3e::2:30 2>/dev/null

section mounts
set --
while read -r device path type rest; do
  case $path in
    /proc|/proc/*|/sys|/sys/*|/dev|/dev/*|/run|/run/*|/var/run/*|/snap/*|/var/snap/*) continue ;;
    /var/lib/docker/*|/var/lib/containerd/*|/var/lib/containers/*|/var/lib/kubelet/*|/var/lib/rancher/*) continue ;;
  esac
  case $type:$device in
    squashfs:*) continue ;;
    *:/dev/*|tmpfs:*|zfs:*) isLocal=1 ;;
    overlay:*) [ "$path" = / ] || continue; isLocal=1 ;;
    *:*:/*|*://*|9p:*|virtiofs:*|fuse.*) isLocal= ;;
    *) continue ;;
  esac
  if [ -n "$isLocal" ]; then
    folder=$path
    case $path in *\\\\*) folder=$(printf '%b' "$(printf '%s' "$path" | sed 's/\\\\/\\\\0/g')") ;; esac
    [ -d "$folder" ] || continue
    set -- "$@" "$folder"
  fi
  printf '%s\\n' "$device $path $type"
done </proc/self/mounts
section df; [ $# -eq 0 ] || df -kP "$@" 2>/dev/null

section docker; version dockerd || version docker
section containerd; version containerd
section crio; version crio
section kubelet; version kubelet
section sockets
for socket in /run/docker.sock /var/run/docker.sock /run/containerd/containerd.sock /run/k3s/containerd/containerd.sock \\
  /run/docker/containerd/containerd.sock /run/crio/crio.sock /var/run/crio/crio.sock; do
  [ ! -S "$socket" ] || echo "$socket"
done
section running
pid=
if [ "$manager" = systemd ]; then
  for unit in docker containerd crio kubelet; do
    case $($limit systemctl show -p ActiveState "$unit.service" 2>/dev/null) in ActiveState=active) echo "$unit" ;; esac
  done
  pid=$($limit systemctl show -p MainPID kubelet.service 2>/dev/null)
  pid=\${pid#MainPID=}
else
  for comm in /proc/[0-9]*/comm; do
    name=
    read -r name 2>/dev/null <"$comm"
    case $name in
      dockerd) echo docker ;;
      containerd|crio) echo "$name" ;;
      kubelet) echo "$name"; pid=\${comm%/comm}; pid=\${pid#/proc/} ;;
    esac
  done
fi
# Nothing but these two flags: others may carry what is nobody's business.
flags() { grep -o -E -e '--(container-runtime-endpoint|hostname-override)[= ][^ "'"'"']+'; }
section flags
[ ! -r "/proc/$pid/cmdline" ] || tr '\\0' ' ' <"/proc/$pid/cmdline" | flags
for file in /var/lib/kubelet/kubeadm-flags.env /etc/default/kubelet /etc/sysconfig/kubelet; do
  [ ! -r "$file" ] || grep -v '^ *#' "$file" | flags
done
section config; sed -n 's/^containerRuntimeEndpoint: *//p' /var/lib/kubelet/config.yaml 2>/dev/null
:`;
