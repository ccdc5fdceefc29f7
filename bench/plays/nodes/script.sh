# What somebody would write by hand for the same work: $1 is the host's name.
set -eu
changed=
folder() { # path owner mode
  [ "$(stat -c '%U:%G %a' "$1" 2>/dev/null)" = "$2 $3" ] || { mkdir -p "$1"; chown "$2" "$1"; chmod "$3" "$1"; }
}
content() { # path owner mode [command that checks it]; the text on stdin
  cat >/tmp/exporter.$$
  if ! cmp -s /tmp/exporter.$$ "$1"; then
    [ $# -lt 4 ] || $4 /tmp/exporter.$$ >/dev/null
    cp /tmp/exporter.$$ "$1.new" && mv "$1.new" "$1"
    changed=yes
  fi
  rm -f /tmp/exporter.$$
  [ "$(stat -c '%U:%G %a' "$1")" = "$2 $3" ] || { chown "$2" "$1"; chmod "$3" "$1"; }
}
line() { # path variable value
  grep -qx "$2=$3" "$1" 2>/dev/null && return
  [ ! -e "$1" ] || sed -i "/^$2=/d" "$1"
  echo "$2=$3" >>"$1"
}
running() {
  systemctl is-enabled -q "$1" || systemctl enable -q "$1"
  systemctl is-active -q "$1" || systemctl start "$1"
}

getent group exporter >/dev/null || groupadd --system exporter
getent passwd exporter >/dev/null ||
  useradd --system --gid exporter --no-create-home --home-dir /var/lib/exporter --shell /usr/sbin/nologin exporter
folder /etc/exporter root:root 755
folder /var/lib/exporter exporter:exporter 750
folder /var/log/exporter exporter:exporter 750
content /etc/exporter/settings.conf root:root 644 <<'END'
@settings.conf@
END
content /etc/exporter/exporter.conf root:root 644 <<END
# Of $1.
listen = :9100
data = /var/lib/exporter
settings = /etc/exporter/settings.conf
labels = host:$1,zone:a
END
restart=$changed
content /etc/exporter/targets.list root:exporter 640 <<'END'
one
two
END
line /etc/default/exporter EXPORTER_LOG info
line /etc/default/exporter EXPORTER_PORT 9100
changed=$restart
content /etc/systemd/system/exporter.service root:root 644 <<'END'
[Unit]
Description=Exporter of a

[Service]
ExecStart=/bin/sleep infinity
EnvironmentFile=/etc/default/exporter

[Install]
WantedBy=multi-user.target
END
restart=$changed
[ -z "$restart" ] || systemctl daemon-reload
running exporter
running docker
! systemctl is-enabled -q apt-daily.timer 2>/dev/null || systemctl disable -q apt-daily.timer
! systemctl is-active -q apt-daily.timer || systemctl stop apt-daily.timer
for package in curl procps; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' $package 2>/dev/null)" = installed ] || apt-get install -y -q $package
done
content /etc/sudoers.d/exporter root:root 440 'visudo -cf' <<'END'
exporter ALL=(root) NOPASSWD: /usr/bin/true
END
[ -e /var/lib/exporter/key ] || ssh-keygen -q -t ed25519 -N '' -f /var/lib/exporter/key
[ "$(stat -c '%U:%G %a' /var/lib/exporter/key)" = 'exporter:exporter 600' ] || {
  chown exporter:exporter /var/lib/exporter/key
  chmod 600 /var/lib/exporter/key
}
[ "$(readlink /usr/local/bin/exporter)" = /bin/sleep ] || ln -sfn /bin/sleep /usr/local/bin/exporter
[ ! -e /etc/exporter.old ] || rm -r /etc/exporter.old
[ -z "$restart" ] || systemctl restart exporter
