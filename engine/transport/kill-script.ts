/**
 * Ends a script's process group on the host: TERM, after two seconds KILL; status 0 when nobody of it is left.
 *
 * Without setsid on the host the script has no group of its own: then the tree under it is ended, as far as the kernel
 * lists children. A zombie counts as gone: nobody can end it more, and where init is slow it stays for seconds.
 */
export function killScript(group: number): string {
  return `${endGroupFunction}\nrb_end ${group}`;
}

/** The same as a shell function `rb_end GROUP`. */
export const endGroupFunction = `
tree() { for rb_c in $(cat /proc/"$1"/task/*/children 2>/dev/null); do tree "$rb_c"; done; echo "$1"; }
alive() {
  kill -0 $targets 2>/dev/null || return 1
  [ "$targets" = -$rb_g ] && [ -r /proc/self/stat ] || return 0
  for rb_f in /proc/[0-9]*/stat; do
    read -r rb_line 2>/dev/null <"$rb_f" || continue
    # PID (NAME) STATE PPID PGRP; the name may hold blanks and parentheses.
    set -- \${rb_line##*) }
    [ "$3" = "$rb_g" ] && [ "$1" != Z ] && return 0
  done
  return 1
}
settled() {
  rb_i=0
  while alive; do
    [ $rb_i -lt 20 ] || return 1
    sleep 0.1 2>/dev/null || { sleep 1; rb_i=$((rb_i + 9)); }
    rb_i=$((rb_i + 1))
  done
}
rb_end() {
  rb_g=$1
  if kill -0 -"$rb_g" 2>/dev/null; then targets=-$rb_g; else targets=$(tree "$rb_g"); fi
  kill -TERM $targets 2>/dev/null
  settled || { kill -KILL $targets 2>/dev/null; settled; }
}`;
