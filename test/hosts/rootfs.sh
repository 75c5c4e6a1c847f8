#!/bin/bash
# Builds the root file system that test hosts are overlays on:
# bash rootfs.sh <target directory> <release> [<more packages> [<option of debootstrap>...]]
# This file is the recipe, and its hash is part of the target's name: a changed recipe builds a new tree.
set -euo pipefail

target=$1
release=$2
packages=systemd,systemd-sysv,dbus,openssh-server,sudo,iproute2,procps,nginx-light,nsd${3:+,$3}
options=("${@:4}")
mkdir -p "$(dirname "$target")"
exec 9>"$target.lock"
flock --nonblock 9 || { echo "waiting for another build of $target" >&2; flock 9; }
[ ! -d "$target" ] || exit 0

# Only a finished tree ever gets the target's name; what a killed build left is thrown away.
draft=$target.draft
rm -rf "$draft"

bootstrap() {
  debootstrap --variant=minbase --include="$packages" "${options[@]}" "$release" "$draft" >"$target.log" 2>&1 ||
    { tail -n 20 "$target.log" >&2; exit 1; }
}

# A config tree enables what it needs: a host starts with no service but sshd. No release has all of these.
disable_services() {
  for unit in nginx.service nsd.service e2scrub_reap.service systemd-pstore.service apt-daily.timer \
    apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer man-db.timer motd-news.timer; do
    if chroot "$draft" systemctl is-enabled "$unit" >/dev/null 2>&1; then
      chroot "$draft" systemctl --quiet disable "$unit" 2>/dev/null
    fi
  done
}

# These two cost a third of the boot, and no PAM module in the tree talks to logind.
mask_slow_units() {
  chroot "$draft" systemctl --quiet mask systemd-logind.service getty.target
}

configure_sshd() {
  rm "$draft"/etc/ssh/ssh_host_*
  cat >"$draft/etc/ssh/sshd_config.d/test.conf" <<'CONF'
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile /etc/ssh/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
UseDNS no
MaxStartups 100:30:200
CONF
}

# `deploy` is an operator who is not root; `nosudo` is one whose sudo asks for a password.
add_users() {
  chroot "$draft" useradd --create-home --shell /bin/bash deploy
  chroot "$draft" useradd --create-home --shell /bin/bash nosudo
  echo 'nosudo:secret' | chroot "$draft" chpasswd
  echo 'deploy ALL=(ALL) NOPASSWD: ALL' >"$draft/etc/sudoers.d/deploy"
  echo 'nosudo ALL=(ALL) ALL' >"$draft/etc/sudoers.d/nosudo"
  chmod 0440 "$draft"/etc/sudoers.d/{deploy,nosudo}
}

# No name server is ever asked: a look-up that has to time out would slow every sudo.
cut_off_dns() {
  sed -i 's/^hosts:.*/hosts: files/' "$draft/etc/nsswitch.conf"
  : >"$draft/etc/resolv.conf"
}

drop_ballast() {
  rm -rf "$draft"/var/cache/apt/* "$draft"/var/lib/apt/lists/* "$draft"/usr/share/{doc,locale,man}/*
  : >"$draft/etc/machine-id"
}

bootstrap
disable_services
mask_slow_units
configure_sshd
add_users
cut_off_dns
drop_ballast
mv "$draft" "$target"
