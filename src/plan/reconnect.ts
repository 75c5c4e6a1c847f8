/** Which deployments may cut off the way to their own host, and so must be confirmed over a new one. */
import { changedApps } from './changes.ts'
import { type App, type HostState, order } from './host-state.ts'
import { linksOf } from './links.ts'
import { unitAt } from './special-directories.ts'

/**
 * What an operator is reached by, and that this deployment touches: places on the host and units, by name. None where
 * the connection that is open proves enough. An app that changes counts with all that it links and enables, since a
 * link outlives the change of the file behind it.
 */
export function needsReconnect(from: HostState, to: HostState): string[] {
  const touched = changedApps(from, to).flatMap(({ from, to }) => [from, to].flatMap(app => access(app)))
  return [...new Set(touched)].sort(order)
}

function access(app: App | undefined): string[] {
  if (!app) return []
  const links = linksOf(app).map(({ path }) => path)
  return [
    ...links.filter(isPlace),
    ...links.flatMap(path => unitAt(path) ?? []).filter(isAccess),
    ...app.manifest.unitsEnabled.filter(isAccess),
  ]
}

/** Whether it is one of the places, or a directory of such. */
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
