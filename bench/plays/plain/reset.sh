rm -rf "$2"
mkdir -p "$2/etc"
echo old >"$2/etc/obsolete.conf"
