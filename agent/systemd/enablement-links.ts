import { templateOf, type UnitName } from '../../src/plan/names.ts'
import type { Files } from '../host/machine.ts'
import { baseOf } from '../host/paths.ts'
import { UNIT_DIRECTORY } from './systemd.ts'

export interface EnablementLink {
  readonly path: string
  readonly target: string
}

/**
 * The links that enable the units: those in `.wants`, `.requires` and `.upholds` directories, and aliases. Also the
 * temporary ones of a killed agent.
 */
export function enablementLinks(files: Files, units: readonly UnitName[]): EnablementLink[] {
  // Most deployments enable and disable nothing, and do not have to search all directories.
  if (units.length === 0) return []
  const names = new Set<string>(units)
  const inDirectory = (directory: string, matches: (name: string, target: string) => boolean) =>
    (files.list(directory) ?? []).flatMap(name => {
      const path = `${directory}/${name}`
      const target = files.readlink(path)
      return target !== undefined && matches(name, target) ? [{ path, target }] : []
    })
  const dependencies = dependencyDirectories(files).flatMap(directory =>
    inDirectory(directory, unit => names.has(withoutSuffix(unit))),
  )
  const aliases = inDirectory(
    UNIT_DIRECTORY,
    (name, target) => !names.has(name) && names.has(baseOf(target)) && !target.startsWith('/dev/'),
  )
  return [...dependencies, ...aliases, ...instanceLinks(files, units)]
}

/** For instances of a linked template, `systemctl enable` makes links to the template's file. */
export function instanceLinks(files: Files, units: readonly UnitName[]): EnablementLink[] {
  return units.flatMap(unit => {
    const path = `${UNIT_DIRECTORY}/${unit}`
    const target = templateOf(unit) === unit ? undefined : files.readlink(path)
    return target !== undefined && baseOf(target) === templateOf(unit) ? [{ path, target }] : []
  })
}

export function dependencyDirectories(files: Files): string[] {
  return (files.list(UNIT_DIRECTORY) ?? [])
    .filter(name => /\.(?:wants|requires|upholds)$/.test(name))
    .map(name => `${UNIT_DIRECTORY}/${name}`)
}

/** The name that a temporary link is for. */
function withoutSuffix(name: string): string {
  return name.replace(/\.deptool-new$/, '')
}
