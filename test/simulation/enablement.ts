/** `systemctl enable` and `disable`, which change links and nothing else, and make none of it durable. */
import type { Files, Ran } from '../../agent/host/machine.ts'
import { failed, said } from './ran.ts'
import {
  definitionOf,
  fileOf,
  GENERATED,
  namesIn,
  resolved,
  templateOf,
  UNITS,
  valuesOf,
} from './unit-files.ts'

/** All of them or, where one cannot be enabled, none. */
export function enable(files: Files, units: readonly string[]): Ran {
  for (const unit of units) {
    const file = fileOf(files, unit)
    if (file === undefined) return missing('enable', unit)
    if (file.startsWith(GENERATED))
      return failed(1, `Failed to enable unit: Unit ${file} is transient or generated.`)
  }
  // Linked units are enabled by nobody's Also=: "Failed to enable auxiliary unit …, ignoring".
  const beside = namedBeside(files, units).filter(unit => !isLinked(files, unit))
  for (const unit of [...units, ...beside]) enableOne(files, unit)
  return said('')
}

/** All of them; a unit that is not there matters only where nothing else was there to be disabled. */
export function disable(files: Files, units: readonly string[]): Ran {
  const unknown = units.find(unit => fileOf(files, unit) === undefined)
  const all = [...units, ...namedBeside(files, units)]
  const removed = all.filter(unit => disableOne(files, unit))
  return unknown === undefined || removed.length > 0 ? said('') : missing('disable', unknown)
}

function enableOne(files: Files, unit: string): void {
  const file = fileOf(files, unit)
  if (file === undefined) return
  const target = resolved(files, file)
  const targets = valuesOf(definitionOf(files, unit) ?? '', 'WantedBy')
  // An instance of a linked template becomes a linked unit itself.
  if (targets.length > 0 && file === `${UNITS}/${templateOf(unit)}` && isLinked(files, unit))
    link(files, target, `${UNITS}/${unit}`)
  for (const name of targets) {
    files.mkdir(`${UNITS}/${name}.wants`, 0o755)
    link(files, target, `${UNITS}/${name}.wants/${unit}`)
  }
}

/** A link that leads to the same file, by whatever way, is left. */
function link(files: Files, target: string, path: string): void {
  if (resolved(files, path) === target) return
  files.unlink(path)
  files.symlink(target, path)
}

/** Whether there was something to remove. The link of a linked unit goes too. */
function disableOne(files: Files, unit: string): boolean {
  const wants = namesIn(files, UNITS).filter(name => name.endsWith('.wants'))
  const removed = wants.filter(name => files.unlink(`${UNITS}/${name}/${unit}`))
  for (const name of removed) files.rmdir(`${UNITS}/${name}`)
  const own = files.readlink(`${UNITS}/${unit}`) !== undefined && files.unlink(`${UNITS}/${unit}`)
  return own || removed.length > 0
}

function namedBeside(files: Files, units: readonly string[]): string[] {
  return units.flatMap(unit => valuesOf(definitionOf(files, unit) ?? '', 'Also'))
}

function isLinked(files: Files, unit: string): boolean {
  const file = fileOf(files, unit)
  return file !== undefined && files.readlink(file) !== undefined
}

function missing(verb: string, unit: string): Ran {
  return failed(1, `Failed to ${verb} unit: Unit file ${unit} does not exist.`)
}
