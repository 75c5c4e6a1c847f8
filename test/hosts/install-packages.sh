#!/bin/bash
# Installs Debian packages, of which none starts a service, now or at the next boot: bash install-packages.sh <package>...
set -euo pipefail

# What Debian's packages ask before they start a service. One that somebody else put there is put back afterwards.
policy=/usr/sbin/policy-rc.d
kept=$policy.kept-by-git-deploy
mark='# of git-deploy, while it installs packages for its tests'

exec 9>/run/git-deploy-install.lock
flock 9

forbid_services() {
  trap allow_services EXIT
  [ ! -e "$policy" ] || mv "$policy" "$kept"
  printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy"
  chmod 0755 "$policy"
}

# Also what a killed run left behind.
allow_services() {
  if grep --quiet --no-messages --line-regexp "$mark" "$policy"; then rm "$policy"; fi
  [ ! -e "$kept" ] || mv "$kept" "$policy"
}

install_packages() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -q -y --no-install-recommends -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
    -o DPkg::Lock::Timeout=300 "$@"
}

has_sshd() {
  [ -e /etc/init.d/ssh ]
}

allow_services
had_sshd=$(has_sshd && echo yes || echo no)
forbid_services
install_packages "$@"
if [ "$had_sshd" = no ] && has_sshd; then update-rc.d ssh disable; fi
