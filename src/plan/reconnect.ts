/** Which deployments may cut off the way to their own host, and so must be confirmed over a new one. */
import { changedApps } from './changes.ts'
import { type App, type HostState, order } from './host-state.ts'
import { linksOf } from './links.ts'
import type { Manifest } from './manifest.ts'
import { unitAt } from './special-directories.ts'

/**
 * The files and units, by name, that this deployment changes and that operators reach the host by. None if the open
 * connection proves enough. All links and units of a changed app count: a link does not change with the file behind it.
 */
export function needsReconnect(from: HostState, to: HostState): string[] {
  const touched = changedApps(from, to).flatMap(({ from, to }) => [from, to].flatMap(app => access(app)))
  return [...new Set(touched)].sort(order)
}

function access(app: App | undefined): string[] {
  return app === undefined ? [] : Object.values(ACCESS).flatMap(find => find(app))
}

/** What each key of a manifest changes that operators reach the host by. */
const ACCESS: { readonly [K in keyof Manifest]: (app: App) => readonly string[] } = {
  // Also links from special directories.
  symlinks: accessByLinks,
  unitsEnabled: ({ manifest }) => manifest.unitsEnabled.filter(isAccess),
  // These are enabled too.
  unitsReload: nothing,
  settleMs: nothing,
  // The host sees an app's files through links only.
  files: nothing,
  validate: nothing,
  checks: nothing,
}

function nothing(): string[] {
  return []
}

function accessByLinks(app: App): string[] {
  const links = linksOf(app).map(({ path }) => path)
  return [...links.filter(isPlace), ...links.flatMap(path => unitAt(path) ?? []).filter(isAccess)]
}

/** Also the directory of such a place. */
function isPlace(path: string): boolean {
  return PLACES.test(path) || PLACES.test(`${path}/x`)
}

/** Logging in, what a login shell reads, becoming root, names and accounts, addresses and routes, firewalls. */
const PLACES = new RegExp(
  `^(?:${[
    '/etc/(?:ssh|dropbear)/.*',
    '/(?:root|home/[^/]+)/\\.(?:ssh/.*|bashrc|profile|bash_profile|zshenv|cshrc|tcshrc|config/fish/.*)',
    '/etc/(?:environment|bash\\.bashrc|bashrc|profile|profile\\.d/.*|zshenv|zsh/.*|csh\\.cshrc|fish/.*)',
    '/etc/(?:sudoers|sudoers\\.d/.*|sudo\\.conf|doas\\.conf|polkit-1/.*)',
    '/etc/(?:pam\\.d/.*|pam\\.conf|security/.*|login\\.defs|shells|nologin|sssd/.*)',
    '/etc/(?:passwd|group|shadow|gshadow|nsswitch\\.conf|hosts|hosts\\.allow|hosts\\.deny|resolv\\.conf)',
    '/etc/(?:nftables[^/]*|nftables\\.d/.*|iptables/.*|sysconfig/.*|ufw/.*|default/ufw|firewalld/.*|fail2ban/.*)',
    '/etc/(?:network/.*|netplan/.*|NetworkManager/.*|systemd/network/.*|dhcp/.*|dhcpcd\\.conf|wpa_supplicant/.*)',
    '/etc/systemd/(?:networkd|resolved|logind)\\.conf(?:\\.d/.*)?',
    '/etc/(?:wireguard|openvpn|tailscale|swanctl)/.*',
    '/etc/(?:sysctl\\.conf|sysctl\\.d/.*|selinux/.*|apparmor\\.d/.*)',
  ].join('|')})$`,
)

const UNITS =
  /^(?:sshd?|dropbear|systemd-(?:networkd|resolved|logind|sysctl|user-sessions)|systemd-networkd-wait-online|networking|network|NetworkManager|ifup|dhcpcd|wpa_supplicant|nftables|ip6?tables|netfilter-persistent|ufw|firewalld|shorewall6?|fail2ban|wg-quick|openvpn(?:-client|-server)?|tailscaled|strongswan|ipsec|sssd|dbus|polkit|apparmor)(?:@[^/]*)?\.(?:service|socket)$/

function isAccess(unit: string): boolean {
  return UNITS.test(unit)
}
