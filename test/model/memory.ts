/** systemd's memory on a host that is a directory, in a file: no process of it outlives an agent. */
import type { Files } from '../../agent/host/machine.ts'
import { decodeUtf8, encodeUtf8 } from '../../src/plan/bytes.ts'
import { Systemd } from '../simulation/systemd.ts'
import type { Memory } from '../simulation/units.ts'

const MEMORY = '/run/model/systemd'

export function readSystemd(files: Files): Systemd {
  const raw = files.read(MEMORY)
  return new Systemd(files, raw && (JSON.parse(decodeUtf8(raw)!) as Memory))
}

export function keepSystemd(files: Files, { memory }: Systemd): void {
  const writer = files.create(MEMORY, 0o644)
  writer.write(encodeUtf8(JSON.stringify(memory)))
  writer.close()
}

/** The next boot: /run is empty but for what is the model's own. */
export function boot(files: Files): void {
  clear(files, '/run', name => name !== 'model')
  const systemd = new Systemd(files)
  systemd.boot()
  keepSystemd(files, systemd)
}

function clear(files: Files, directory: string, chosen: (name: string) => boolean = () => true): void {
  for (const path of (files.list(directory) ?? []).filter(chosen).map(name => `${directory}/${name}`)) {
    if (files.stat(path)?.kind !== 'directory') files.unlink(path)
    else {
      clear(files, path)
      files.rmdir(path)
    }
  }
}
