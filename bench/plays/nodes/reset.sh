# As if the play had never been here. The packages are those of the node: it has no way to a mirror.
if [ -e /etc/systemd/system/exporter.service ]; then
  systemctl disable -q --now exporter
  rm /etc/systemd/system/exporter.service
  systemctl daemon-reload
fi
rm -rf /etc/exporter /var/lib/exporter /var/log/exporter /etc/default/exporter
rm -f /etc/sudoers.d/exporter /usr/local/bin/exporter
systemctl is-active -q apt-daily.timer || systemctl enable -q --now apt-daily.timer
! getent passwd exporter >/dev/null || userdel exporter 2>/dev/null
! getent group exporter >/dev/null || groupdel exporter
