/** Where the agent goes on a host that other users have a part of, and where it does not. */
import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { walk } from '../../agent/host/walk.ts'
import { asRoot } from '../support/as-root.ts'
import { nodeMachine } from '../support/node-machine.ts'

const USERS = { root: 0, app: 4242, bob: 4343 }
const GROUPS = { root: 0, app: 4242, web: 4444 }
type User = keyof typeof USERS
type Group = keyof typeof GROUPS

/** `0755 app:web /path`, or `app:web /path -> target`, one after the other. */
type Entry = `${string} ${User}:${Group} ${string}` | `${User}:${Group} ${string} -> ${string}`

function hostWith(t: TestContext, entries: readonly Entry[]) {
  const directory = mkdtempSync(join(tmpdir(), 'walk-'))
  t.after(() => rmSync(directory, { recursive: true }))
  chmodSync(directory, 0o755)
  mkdirSync(join(directory, 'etc'))
  const database = (ids: Readonly<Record<string, number>>) =>
    Object.entries(ids)
      .map(([name, id]) => `${name}:x:${id}:\n`)
      .join('')
  writeFileSync(join(directory, 'etc/passwd'), database(USERS))
  writeFileSync(join(directory, 'etc/group'), database(GROUPS))
  for (const entry of entries) {
    const [, mode, user, group, path, target] =
      /^(?:(\d+) )?(\w+):(\w+) (\S+)(?: -> (\S+))?$/.exec(entry) ?? assert.fail(entry)
    const [at, uid, gid] = [join(directory, path!), USERS[user as User], GROUPS[group as Group]]
    if (target === undefined) {
      mkdirSync(at)
      chownSync(at, uid, gid)
      chmodSync(at, Number.parseInt(mode!, 8))
    } else {
      symlinkSync(target, at)
      lchownSync(at, uid, gid)
    }
  }
  return directory
}

function led(directory: string, path: string): string {
  const machine = nodeMachine({ root: directory })
  return walk(machine, path, walked => {
    if (walked.kind !== 'reached') return walked.what
    const rest = walked.missing.length > 0 ? `, then ${walked.missing.join('/')}` : ''
    const { stranger } = walked
    const who = stranger && ('id' in stranger ? `${stranger.kind} ${stranger.id}` : stranger.kind)
    return `${walked.path}${rest}${who === undefined ? '' : `, shared with ${who}`}`
  })
}

const HOME: readonly Entry[] = ['0755 root:root /home', '0755 app:app /home/app', '0755 root:root /srv']

const CASES: readonly (readonly [why: string, entries: readonly Entry[], path: string, end: string])[] = [
  ['directories of root', ['0755 root:root /srv'], '/srv', '/srv'],
  ['what is missing', ['0755 root:root /srv'], '/srv/a/b', '/srv, then a/b'],
  ['a directory of a user', HOME, '/home/app', '/home/app, shared with user 4242'],
  [
    'a directory of a user in one of his own',
    [...HOME, '0755 app:app /home/app/conf'],
    '/home/app/conf',
    '/home/app/conf, shared with user 4242',
  ],
  [
    "a link of the user's, out of his directory",
    [...HOME, 'app:app /home/app/conf -> /srv'],
    '/home/app/conf',
    "'/home/app/conf' is a symbolic link to '/srv', and the user 'app' can change where it leads",
  ],
  [
    "a link of the user's, upwards out of his directory",
    [...HOME, 'app:app /home/app/conf -> ../../srv'],
    '/home/app/conf',
    "'/home' belongs to 'root', and the user 'app' can put something else in its place",
  ],
  [
    "a link of the user's within his directory",
    [...HOME, '0755 app:app /home/app/a', '0755 app:app /home/app/b', 'app:app /home/app/a/l -> ../b'],
    '/home/app/a/l',
    '/home/app/b, shared with user 4242',
  ],
  [
    "a link of root's that the user may have moved into his directory",
    [...HOME, 'root:root /home/app/conf -> /srv'],
    '/home/app/conf',
    "'/home/app/conf' is a symbolic link to '/srv', and the user 'app' can change where it leads",
  ],
  [
    "a directory of root's in the user's",
    [...HOME, '0755 root:root /home/app/conf'],
    '/home/app/conf',
    "'/home/app/conf' belongs to 'root', and the user 'app' can put something else in its place",
  ],
  [
    "another user's directory in the user's",
    [...HOME, '0755 bob:app /home/app/bob'],
    '/home/app/bob/x',
    "'/home/app/bob' belongs to 'bob', and the user 'app' can put something else in its place",
  ],
  [
    "root's links",
    ['0755 root:root /run', '0755 root:root /var', 'root:root /var/run -> ../run'],
    '/var/run/x',
    '/run, then x',
  ],
  [
    "root's absolute links",
    ['0755 root:root /run', '0755 root:root /var', 'root:root /var/run -> /run'],
    '/var/run/x',
    '/run, then x',
  ],
  [
    "a link in root's directory that is a user's",
    ['0755 root:root /srv', '0755 root:root /run', 'app:app /srv/run -> ../run'],
    '/srv/run',
    "'/srv/run' is a symbolic link to '../run', and the user 'app' can change where it leads",
  ],
  [
    'a directory that a group can write to, in the last place',
    ['2775 root:web /srv'],
    '/srv',
    '/srv, shared with group 4444',
  ],
  [
    "a directory of root's in one that a group can write to",
    ['2775 root:web /srv', '2755 root:web /srv/a'],
    '/srv/a',
    "'/srv/a' belongs to 'root', and the group 'web' can put something else in its place",
  ],
  [
    'one that the same group can write to in one that a group can write to',
    ['2775 root:web /srv', '2775 root:web /srv/a'],
    '/srv/a',
    '/srv/a, shared with group 4444',
  ],
  [
    'one that another group can write to in one that a group can write to',
    ['2775 root:web /srv', '2775 root:app /srv/a'],
    '/srv/a',
    "'/srv/a' belongs to 'root', and the group 'web' can put something else in its place",
  ],
  [
    'a link in a directory that a group can write to',
    ['2775 root:web /srv', 'root:web /srv/a -> .'],
    '/srv/a',
    "'/srv/a' is a symbolic link to '.', and the group 'web' can change where it leads",
  ],
  ["the group root's", ['0775 root:root /srv', '0755 root:root /srv/a'], '/srv/a', '/srv/a'],
  [
    "a directory of root's in one that everybody can write to",
    ['0777 root:root /srv', '0755 root:root /srv/a'],
    '/srv/a',
    "'/srv/a' belongs to 'root', and every user can put something else in its place",
  ],
  [
    "a user's own in one that everybody can write to",
    ['0777 root:root /srv', '0755 app:app /srv/a'],
    '/srv/a',
    "'/srv/a' belongs to 'app', and every user can put something else in its place",
  ],
  [
    'a sticky one in one that everybody can write to: others have files in it',
    ['0777 root:root /srv', '1777 root:root /srv/a'],
    '/srv/a',
    "'/srv/a' belongs to 'root', and every user can put something else in its place",
  ],
  ['/tmp', ['1777 root:root /tmp'], '/tmp', '/tmp, shared with all'],
  ["a directory of root's in /tmp", ['1777 root:root /tmp', '0755 root:root /tmp/a'], '/tmp/a', '/tmp/a'],
  [
    "a user's directory in /tmp",
    ['1777 root:root /tmp', '0755 app:app /tmp/a'],
    '/tmp/a',
    '/tmp/a, shared with user 4242',
  ],
  [
    "a link of root's that somebody may have moved to /tmp",
    ['1777 root:root /tmp', 'root:root /tmp/a -> /etc'],
    '/tmp/a',
    "'/tmp/a' is a symbolic link to '/etc', and every user can change where it leads",
  ],
  [
    "'..' stays below '/'",
    ['0755 root:root /srv', 'root:root /srv/l -> ../../../../srv'],
    '/srv/l/x',
    '/srv, then x',
  ],
  [
    'a circle of links',
    ['0755 root:root /srv', 'root:root /srv/l -> l'],
    '/srv/l',
    "'/srv/l' is not a directory",
  ],
  ['a link to nothing', ['0755 root:root /srv', 'root:root /srv/l -> none'], '/srv/l/x', '/srv, then none/x'],
  ['a file', [], '/etc/passwd/x', "'/etc/passwd' is not a directory"],
]

for (const [why, entries, path, end] of CASES)
  test(why, asRoot, t => {
    assert.equal(led(hostWith(t, entries), path), end)
  })

test('an embedded host is also that of the owner of its directory', asRoot, t => {
  const directory = hostWith(t, ['0775 app:app /srv', '0755 root:root /srv/a'])
  assert.match(led(directory, '/srv/a'), /the user 'app' can put/)
  chownSync(directory, USERS.app, GROUPS.app)
  assert.equal(led(directory, '/srv/a'), '/srv/a')
})
