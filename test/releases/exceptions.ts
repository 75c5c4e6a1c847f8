import type { OtherRelease } from '../hosts/rootfs.ts'

/** Tests that do not pass on a release: by the beginning of their names, each with the reason. */
export const EXCEPTIONS: Readonly<Record<OtherRelease, Readonly<Record<string, string>>>> = {
  trixie: {
    'two hosts are deployed to': 'systemd 257 calls every unit changed after an enable without a reload',
    'an update that is killed before any of its steps': 'the same',
    'systemd that starts anew meanwhile is asked again': 'systemctl 257 has other words for no connection',
    'openssh: sshd drops connections': 'OpenSSH 10 has other words for a connection that was dropped',
  },
  bullseye: {
    'eight deployments within a few seconds': 'systemd 247 loads a unit from the version that it first saw',
    'what is where a link goes is refused': 'systemd 247 names a unit file by its version',
    'a unit that goes by its old name too': 'systemd 247 names a unit file by its version',
    'disabling a unit leaves alone what its file names': 'systemctl 247 enables no linked unit by Also=',
    'a connection that ended with the service': 'systemctl 247 prints the heading of an empty list',
    'units: disabled, stopped and left over': 'systemd 247 takes every link to a unit for an alias of it',
  },
  jammy: {
    'a repository of somebody else': 'its first Git does not look at who owns a repository',
  },
}

/** For --test-name-pattern: the names of all other tests. */
export function withoutExceptions(release: OtherRelease): RegExp {
  const names = Object.keys(EXCEPTIONS[release]).map(name => name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'))
  // Node 20 matches the root of the tests as well, and runs all that is below what matches.
  return new RegExp(`^(?!<root>|${names.join('|')}).`)
}
