# What somebody would write by hand for the same work: $1 is the host's name, $2 the folder under which its files are.
set -eu
cd "$2"
folder() { # path mode
  [ "$(stat -c %a "$1" 2>/dev/null)" = "$2" ] || { mkdir -p "$1"; chmod "$2" "$1"; }
}
content() { # path mode; the text on stdin
  cat >.new
  if cmp -s .new "$1"; then rm .new; else mv .new "$1"; fi
  [ "$(stat -c %a "$1")" = "$2" ] || chmod "$2" "$1"
}
line() { # path variable value
  grep -qx "$2=$3" "$1" 2>/dev/null && return
  [ ! -e "$1" ] || sed -i "/^$2=/d" "$1"
  echo "$2=$3" >>"$1"
}

folder conf 755
folder data 750
folder conf/parts 755
content conf/settings.conf 644 <<'END'
@settings.conf@
END
printf 'one\ntwo\n' | content conf/targets.list 640
echo 'Maintained by the platform team' | content motd 644
echo 'zone = a' | content conf/parts/zone.conf 644
content conf/service.conf 644 <<END
# Of $1.
listen = :9100
data = $2/data
labels = host:$1,zone:a
END
content conf/limits.conf 644 <<'END'
# Limits of zone a.
files = 65536
memory = 512M
END
line etc/service.env LOG info
line etc/service.env PORT 9100
line etc/service.env ZONE a
[ "$(readlink current)" = conf ] || ln -sfn conf current
[ ! -e etc/obsolete.conf ] || rm -r etc/obsolete.conf
[ -e data/mark ] || touch data/mark
[ "$(stat -c %a data/mark)" = 600 ] || chmod 600 data/mark
ls conf
