/** What operators do to a config tree between two deployments. */
import type { Random } from '../support/random.ts'
import { type App, type Data, type Declared, shipped, type UnitFile } from './declared.ts'

/** The tree after a few edits. */
export function edit(declared: Declared, random: Random): Declared {
  const apps: Apps = structuredClone(declared) as Apps
  for (let left = 1 + random.below(7); left > 0; left--) random.one(EDITS)(apps, random)
  for (const app of apps.values()) tidy(app)
  return apps
}

/** The tree with one thing in it that a host will not take. */
export function breakTree(declared: Declared, random: Random): Declared {
  const apps: Apps = structuredClone(declared) as Apps
  if (apps.size === 0) addApp(apps, random)
  random.one(BREAKS)(random.one([...apps.values()]), random)
  for (const app of apps.values()) tidy(app)
  return apps
}

/** The tree without anything that a host would not take. */
export function mend(declared: Declared): Declared {
  const apps: Apps = structuredClone(declared) as Apps
  for (const app of apps.values()) {
    app.config = app.config.replace('broken', 'mended')
    app.validates = app.validates === 'no' ? 'yes' : app.validates
    app.answers = app.answers === 'no' ? 'yes' : app.answers
    for (const unit of app.units.values()) unit.start = 'works'
  }
  return apps
}

type Mutable<T> = {
  -readonly [K in keyof T]: T[K] extends ReadonlyMap<string, infer V>
    ? Map<string, V extends object ? Mutable<V> : V>
    : T[K] extends ReadonlySet<string>
      ? Set<string>
      : T[K]
}
type Draft = Mutable<App>
type Apps = Map<string, Draft>
type Edit = (apps: Apps, random: Random) => void

const NAMES = ['one', 'two', 'three', 'four']
/** The first may also be made of a quadlet. */
const UNITS = ['q1.service', 'u1.service', 'u2.service', 'u3.service', 't@1.service', 't@2.service']
const LINKS = ['/etc/l1.conf', '/etc/l2.conf', '/etc/dir/l3.conf', '/etc/tree']
const PATHS = ['a', 'b', 'd', 'd/x', 'd/y', 'e/f/g']
const QUADLETS = ['q1', 'q2']
const USERS = ['dep1', 'dep2']
const DIRECTORIES = ['tmp1', 'tmp2']

const addApp: Edit = (apps, random) => {
  const name = random.one(NAMES)
  if (apps.has(name)) return
  apps.set(name, {
    config: text(random),
    data: new Map([[random.one(PATHS), data(random)]]),
    units: new Map(),
    quadlets: new Map(),
    sysusers: new Set(),
    tmpfiles: new Set(),
    links: new Map(),
    distribution: false,
    validates: random.one(['yes', 'unasked']),
    answers: random.one(['yes', 'unasked', 'unasked']),
  })
  for (let left = random.below(4); left > 0; left--) addThing(apps, random)
}

const addThing: Edit = (apps, random) => random.one([addUnit, addUnit, addLink, addOther])(apps, random)

const addUnit: Edit = (apps, random) => {
  const name = random.one(UNITS)
  const taken = [...apps.values()].some(app =>
    [...app.units.keys()].some(unit => shipped(unit) === shipped(name)),
  )
  const app = some(apps, random)
  if (app === undefined || taken || isMade(apps, name)) return
  addUnitTo(app, name, random)
}

function addUnitTo(app: Draft, name: string, random: Random): void {
  app.units.set(name, {
    type: random.one(['notify', 'notify', 'simple', 'oneshot']),
    start: 'works',
    note: text(random),
    dropIn: random.one([null, null, '[Service]\nX-Drop=in\n']),
    wantedBy: random.one(['multi-user.target', 'multi-user.target', 'graphical.target', null]),
    enabled: random.below(4) > 0,
    reload: random.below(3) === 0,
    readsConfig: random.below(2) === 0,
  })
}

const addLink: Edit = (apps, random) => {
  const path = random.one(LINKS)
  const app = some(apps, random)
  if (app === undefined || [...apps.values()].some(({ links }) => links.has(path))) return
  app.links.set(path, random.one(['config', 'data', ...[...app.data.keys()].map(name => `data/${name}`)]))
}

const addOther: Edit = (apps, random) => {
  const app = some(apps, random)
  if (app === undefined) return
  const free = (has: (app: Draft) => boolean) => ![...apps.values()].some(has)
  const [quadlet, user, directory] = [random.one(QUADLETS), random.one(USERS), random.one(DIRECTORIES)]
  switch (random.below(4)) {
    case 0:
      if (free(({ quadlets, units }) => quadlets.has(quadlet) || units.has(`${quadlet}.service`)))
        app.quadlets.set(quadlet, quadletText(random))
      return
    case 1:
      if (free(({ sysusers }) => sysusers.has(user))) app.sysusers.add(user)
      return
    case 2:
      if (free(({ tmpfiles }) => tmpfiles.has(directory))) app.tmpfiles.add(directory)
      return
    default:
      app.distribution = free(({ distribution }) => distribution)
  }
}

const removeThing: Edit = (apps, random) => {
  const app = some(apps, random)
  if (app === undefined) return
  const { data, units, quadlets, sysusers, tmpfiles, links } = app
  const things = random.one([data, units, units, quadlets, sysusers, tmpfiles, links])
  const name = random.one([...things.keys(), ''])
  things.delete(name)
  if (random.below(8) === 0) app.distribution = false
}

function isMade(apps: Apps, unit: string): boolean {
  return [...apps.values()].some(({ quadlets }) => quadlets.has(unit.replace('.service', '')))
}

/** The quadlet becomes a unit file of the same name, or the other way round. */
const convert: Edit = (apps, random) => {
  for (const app of apps.values())
    if (app.quadlets.delete('q1')) return addUnitTo(app, 'q1.service', random)
    else if (app.units.delete('q1.service')) return void app.quadlets.set('q1', quadletText(random))
}

/** From one app to another: a link, a unit, or whatever else may be in one app only. */
const moveThing: Edit = (apps, random) => {
  const [from, to] = [some(apps, random), some(apps, random)]
  if (from === undefined || to === undefined || from === to) return
  switch (random.below(6)) {
    case 0:
      return move(from.links, to.links, random)
    case 1:
    case 2:
      return move(from.units, to.units, random)
    case 3:
      return move(from.quadlets, to.quadlets, random)
    case 4:
      ;[from.distribution, to.distribution] = [to.distribution, from.distribution]
      return
    default: {
      const [user] = from.sysusers
      if (user === undefined) return
      from.sysusers.delete(user)
      to.sysusers.add(user)
    }
  }
}

const rename: Edit = (apps, random) => {
  const [from, to] = [random.one(NAMES), random.one(NAMES)]
  const [a, b] = [apps.get(from), apps.get(to)]
  apps.delete(from)
  apps.delete(to)
  if (a) apps.set(to, a)
  if (b) apps.set(from, b)
}

const removeApp: Edit = (apps, random) => void apps.delete(random.one(NAMES))

const editData: Edit = (apps, random) => some(apps, random)?.data.set(random.one(PATHS), data(random))

const editConfig: Edit = (apps, random) => {
  const app = some(apps, random)
  if (app) app.config = text(random)
}

const editUnit: Edit = (apps, random) => {
  const app = some(apps, random)
  const unit = app && random.one([...app.units.values(), undefined])
  if (unit === undefined) return
  const other = <K extends keyof UnitFile>(key: K, values: readonly UnitFile[K][]) => {
    ;(unit as { [name in K]: UnitFile[K] })[key] = random.one(values)
  }
  random.one([
    () => other('type', ['notify', 'simple', 'oneshot']),
    () => other('note', [text(random)]),
    () => other('dropIn', [null, `[Service]\nX-Drop=${text(random)}\n`]),
    () => other('wantedBy', ['multi-user.target', 'graphical.target', null]),
    () => other('enabled', [true, false]),
    () => other('reload', [true, false]),
    () => other('readsConfig', [true, false]),
  ])()
}

const editQuadlet: Edit = (apps, random) => {
  const app = some(apps, random)
  for (const stem of app?.quadlets.keys() ?? []) app!.quadlets.set(stem, quadletText(random))
}

const clear: Edit = (apps, random) => {
  if (random.below(4) === 0) apps.clear()
}

const EDITS: readonly Edit[] = [
  addApp,
  addApp,
  addApp,
  addThing,
  addThing,
  addThing,
  addThing,
  removeThing,
  removeThing,
  moveThing,
  moveThing,
  rename,
  removeApp,
  editData,
  editData,
  editConfig,
  editUnit,
  editUnit,
  editQuadlet,
  convert,
  clear,
]

const BREAKS: readonly ((app: Draft, random: Random) => void)[] = [
  app => {
    app.validates = 'no'
  },
  app => {
    app.answers = 'no'
  },
  app => {
    app.config = 'broken\n'
  },
  (app, random) => {
    for (const unit of app.units.values()) unit.start = random.one(['fails', 'crashes'])
    app.config = text(random)
  },
]

/** What an edit may have left that no tree can be. */
function tidy(app: Draft): void {
  if (app.data.has('d')) {
    app.data.delete('d/x')
    app.data.delete('d/y')
  }
  for (const [path, file] of app.data) {
    if (file.as === 'link') file.text = path.includes('/') ? '../a' : 'b'
    // A user that the app does not make may not be there.
    if (file.owner !== 'app' && !app.sysusers.has(file.owner ?? '')) file.owner = null
    if (file.as === 'link' && path === 'b') app.data.delete(path)
  }
  for (const unit of app.units.values())
    if (unit.type !== 'simple' && unit.start === 'crashes') unit.start = 'fails'
  for (const [path, target] of app.links) {
    const there =
      target === 'config' || (target === 'data' ? app.data.size > 0 : app.data.has(target.slice(5)))
    if (!there) app.links.delete(path)
  }
}

function move<V>(from: Map<string, V>, to: Map<string, V>, random: Random): void {
  const name = random.one([...from.keys(), ''])
  const thing = from.get(name)
  if (thing === undefined) return
  from.delete(name)
  to.set(name, thing)
}

function some(apps: Apps, random: Random): Draft | undefined {
  return random.one([...apps.values(), undefined])
}

function data(random: Random): Mutable<Data> {
  return {
    text: text(random),
    as: random.one(['file', 'file', 'executable', 'link']),
    mode: random.one([null, null, 0o600, 0o640, 0o755]),
    owner: random.one([null, null, 'app', ...USERS]),
  }
}

function quadletText(random: Random): string {
  return `[Container]\nType=notify\nX-Note=${text(random)}[Install]\nWantedBy=multi-user.target\n`
}

/** Few enough that an edit may also bring back what was. */
function text(random: Random): string {
  return `text ${random.below(6)}\n`
}
