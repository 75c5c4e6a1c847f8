import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HostFiles } from './host-files.ts'

/** An embedded host (`local:`): a directory with as much of a Debian as a deployment expects to find. */
export class LocalHost extends HostFiles {
  readonly name: string
  readonly address = '127.0.0.1'
  readonly directory: string

  constructor(name: string, directory: string) {
    super(() => directory)
    this.name = name
    this.directory = directory
    for (const folder of ['etc/systemd/system', 'var/lib'])
      mkdirSync(join(directory, folder), { recursive: true })
    writeFileSync(join(directory, 'etc/hostname'), `${name}\n`)
  }
}
