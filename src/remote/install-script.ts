/**
 * The program that puts an agent on a host, for any POSIX shell. It never changes: what differs comes on its stdin,
 * first a line `<sha256> <name>`, then the binary. It holds no single quote, because it is quoted with those.
 *
 * What it prints: `deptool-install <uname -s> <uname -m>` before it reads anything, `deptool-installed` at the end.
 * Its exit status is one of INSTALL_EXIT. Other installs may run at the same time; a cut leaves a temporary file only.
 */
import { BIN } from '../plan/places.ts'

export const INSTALL_EXIT = {
  done: 0,
  cut: 70,
  directory: 71,
  write: 72,
  checksum: 73,
  noexec: 74,
  rename: 75,
} as const

export const INSTALL_MARK = 'deptool-install'
export const INSTALLED_MARK = 'deptool-installed'

/** What all agents on a host may take together. */
const KEPT_BYTES = 64 * 1024 * 1024

/** `bin` is another directory in tests only. */
export const installScript = (bin = BIN): string => `
LC_ALL=C; export LC_ALL
umask 022
bin=${bin}
tmp=
fail() { test -z "$tmp" || rm -f "$tmp"; exit "$1"; }
echo "${INSTALL_MARK} $(uname -sm)"
IFS=" " read -r sum name || exit ${INSTALL_EXIT.cut}
mkdir -p "$bin" || fail ${INSTALL_EXIT.directory}
find "$bin" -name ".new-*" -mtime +0 -exec rm -f {} + 2>/dev/null
tmp=$(mktemp "$bin/.new-XXXXXX") || fail ${INSTALL_EXIT.write}
trap "fail ${INSTALL_EXIT.cut}" HUP INT TERM PIPE
cat >"$tmp" || fail ${INSTALL_EXIT.write}
test "$(sha256sum <"$tmp" | cut -c1-64)" = "$sum" || fail ${INSTALL_EXIT.checksum}
chmod 755 "$tmp" || fail ${INSTALL_EXIT.write}
test -x "$tmp" || fail ${INSTALL_EXIT.noexec}
sync "$tmp" 2>/dev/null
mv -f "$tmp" "$bin/$name" || fail ${INSTALL_EXIT.rename}
tmp=
echo ${INSTALLED_MARK}
total=0
ls -t "$bin" | grep "^deptool-" | while read -r old; do
  total=$((total + $(wc -c <"$bin/$old")))
  test "$total" -gt ${KEPT_BYTES} || continue
  test -n "$(find "$bin/$old" -mtime +0 2>/dev/null)" || continue
  readlink /proc/[0-9]*/exe 2>/dev/null | grep -qxF "$bin/$old" || rm -f "$bin/$old"
done
exit 0
`
