#!/bin/bash
# Runs one test host: unshare --mount bash guardian.sh <root file system> <host name> memory|disk|image
# Prints the number N of the host, which has the address 127.0.1.N, and everything about it in /run/git-deploy-hosts/N.
# The host lives as long as our stdin stays open, so no end of a test run, kill -9 included, leaves one behind: its
# processes are in a cgroup of their own, and its mounts in this process's namespace.
# Whenever the host goes down it boots again: as it was where the file `keep` exists, else pristine. Where `cut` exists
# as well, an image loses what had not been synced.
set -euo pipefail

base=$1
name=$2
storage=$3

claim_number() {
  for number in {11..250}; do
    state=/run/git-deploy-hosts/$number
    mkdir -p "$state/layers" "$state/root"
    exec 9>"$state/lock"
    ! flock --nonblock 9 || return 0
  done
  echo 'all addresses of test hosts are in use' >&2
  exit 1
}

make_keys() {
  rm -f "$state"/{host,operator}_key{,.pub} "$state"/{nspawn,keep,cut}
  ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$state/host_key"
  ssh-keygen -q -t ed25519 -N '' -C 'operator of the test hosts' -f "$state/operator_key"
}

# Of a guardian that was itself killed there may be one left, with processes in it.
make_cgroup() {
  cgroup=$(findmnt --noheadings --first-only --types cgroup2 --output TARGET)/git-deploy-host-$number
  remove_cgroup
  mkdir "$cgroup"
  ln -sfn "$cgroup" "$state/cgroup"
}

remove_cgroup() {
  [ -d "$cgroup" ] || return 0
  echo 1 >"$cgroup/cgroup.kill"
  until find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null; do sleep 0.01; done
}

keep_running() {
  while true; do
    if rm "$state/keep" 2>/dev/null; then
      ! rm "$state/cut" 2>/dev/null || lose_unsynced
    else
      make_pristine
    fi
    # A host that cannot even start must not keep a processor busy.
    boot || sleep 0.02
  done
}

make_pristine() {
  remove_layers
  case $storage in
    memory) mount -t tmpfs -o mode=0755 tmpfs "$layers" ;;
    image)
      truncate --size=512M "$image"
      mkfs.ext4 -q "$image"
      mount_image
      ;;
  esac
  mkdir "$layers/work" "$layers/upper"
  mount_root
  identify
  sync --file-system "$layers"
}

mount_root() {
  mount -t overlay -o "lowerdir=$base,upperdir=$layers/upper,workdir=$layers/work" overlay "$root"
}

# Of what nobody syncs, ext4 writes nothing for minutes.
mount_image() {
  mount -o loop,commit=600 "$image" "$layers"
}

# The image holds what has reached the disk; the rest is in the memory of the file system that is left behind.
lose_unsynced() {
  [ "$storage" = image ] || return 0
  cp --sparse=always "$image" "$image.cut"
  umount --lazy "$root" "$layers"
  mv "$image.cut" "$image"
  mount_image
  mount_root
}

remove_layers() {
  umount --lazy "$root" "$layers" 2>/dev/null || true
  rm -rf "$layers"/{upper,work} "$image"
}

identify() {
  echo "$name" >"$root/etc/hostname"
  printf '%s\n' '127.0.0.1 localhost' "127.0.1.$number $name" >"$root/etc/hosts"
  printf '%s\n' "ListenAddress 127.0.1.$number" 'Port 2022' >"$root/etc/ssh/sshd_config.d/address.conf"
  install --mode=0600 "$state/host_key" "$root/etc/ssh/ssh_host_ed25519_key"
  install --mode=0644 "$state/operator_key.pub" "$root/etc/ssh/authorized_keys"
}

boot() (
  echo $BASHPID >"$cgroup/cgroup.procs"
  echo $BASHPID >"$state/nspawn"
  # Hosts live in cgroup v2, also where this machine's own cgroups are of the hybrid kind.
  export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
  exec systemd-nspawn --quiet --register=no --keep-unit --directory="$root" --hostname="$name" \
    --resolv-conf=off --timezone=off --link-journal=no --boot --console=pipe >"$state/console" 2>&1
)

claim_number
root=$state/root
layers=$state/layers
image=$state/image
make_keys
make_cgroup
echo "$number"

keep_running 9>&- </dev/null >/dev/null &
read -r || kill -KILL $!
wait $! 2>/dev/null || true
remove_cgroup
remove_layers
