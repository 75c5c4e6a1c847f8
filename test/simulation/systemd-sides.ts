/** The two sides that are compared: systemd on a real host, and the simulation on a disk in memory. */
import type { TestHost } from '../hosts/test-host.ts'
import type { Ran } from '../support/execute.ts'
import { Disk } from './disk.ts'
import { filesOn } from './disk-files.ts'
import { Systemd } from './systemd.ts'
import type { Command } from './systemd-cases.ts'
import { definitionOf, namesIn, textOf, UNITS } from './unit-files.ts'

export interface Side {
  run(command: Command): Promise<Ran>
}

export class RealSide implements Side {
  readonly #host: TestHost

  private constructor(host: TestHost) {
    this.#host = host
  }

  static async on(host: TestHost): Promise<RealSide> {
    await host.output(`cat >/bin/serve <<'END'\n${SERVE}END\ncat >/bin/generate <<'END'\n${GENERATE}END
      chmod +x /bin/serve /bin/generate`)
    return new RealSide(host)
  }

  async run(command: Command): Promise<Ran> {
    if (command[0] === 'reboot') await this.#host.reboot()
    return this.#host.sh(`${COMMANDS}\n${command.map(quoted).join(' ')}`)
  }
}

/** As systemd.ts says. What it has read is in /run/read, by unit. */
const SERVE = `#!/bin/sh
again=; fails=; crashes=; once=; text=
for word; do
  case $word in
  --again) again=1 ;; --fails) fails=1 ;; --crashes) crashes=1 ;; --once) once=1 ;;
  /var/*) ! grep -q broken "$word" && text=$text$(cat "$word") || fails=1 ;;
  esac
done
[ -z "$fails" ] || exit 1
mkdir -p /run/read; printf %s "$text" >"/run/read/$(sed -n 's|^0::.*/||p' /proc/self/cgroup)"
[ -z "$again$once" ] || exit 0
[ -z "$NOTIFY_SOCKET" ] || systemd-notify --ready
[ -z "$crashes" ] || { sleep 0.3; exit 1; }
exec sleep infinity
`

/** What podman's generator does, as far as the simulation knows it. */
const GENERATE = `#!/bin/sh
for file in /etc/containers/systemd/*.container; do
  [ -e "$file" ] || continue
  unit=$(basename "$file" .container).service
  cp "$file" "$1/$unit"
  for target in $(sed -n 's/^WantedBy=//p' "$file"); do
    mkdir -p "$1/$target.wants"; ln -s "../$unit" "$1/$target.wants/"
  done
done
`

/** The commands that are not systemd's own. */
const COMMANDS = `cd /
put() { mkdir -p "\${1%/*}"; printf %s "$2" >"$1"; }
link() { mkdir -p "\${1%/*}"; ln -sfn "$2" "$1"; }
cat() { systemctl cat "$1" | sed '/^# \\//d; /^$/d'; }
loaded() { systemctl show --property=Id -- "$1" | sed '/^$/d' | sort; }
reads() { command cat "/run/read/$1"; echo; }
fails() { until [ "$(systemctl is-active "$1")" = failed ]; do sleep 0.05; done; }
links() { find ${UNITS} -name 'm-*' \\( -type l -printf '%p -> %l\\n' -o -type d -name '*.wants' -printf '%p\\n' \\) | sort; }
users() { grep -ho '^m-[^:]*' /etc/passwd /etc/group; }
stat() { command stat -c '%F %a' "$1"; }
generator() { d=/usr/lib/systemd/system-generators; mkdir -p $d; ln -sf /bin/generate $d/podman-system-generator; }
reboot() { :; }
`

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

export class SimulatedSide implements Side {
  readonly #files = filesOn(new Disk('ordered', false), () => 0)
  #systemd = new Systemd(this.#files)

  constructor() {
    for (const path of ['/run/systemd', '/usr/lib/systemd/system', '/var', UNITS]) this.#makeDirectories(path)
    for (const name of ['passwd', 'group']) this.#put(`/etc/${name}`, 'root:x:0:0::/root:/bin/sh\n')
    this.#systemd.boot()
  }

  async run([program, ...args]: Command): Promise<Ran> {
    const own = this.#commands[program]
    return own ? { code: 0, stdout: own(...args) ?? '', stderr: '' } : this.#ran(program, ...args)
  }

  #ran(...argv: string[]): Ran {
    const { stdout, stderr, code } = this.#systemd.run(argv)!
    return {
      stdout,
      stderr:
        stderr &&
        `${stderr}
`,
      code: code!,
    }
  }

  readonly #commands: Readonly<Record<string, (...args: string[]) => string | undefined>> = {
    put: (path = '', text = '') => this.#put(path, text),
    link: (path = '', target = '') => {
      this.#makeDirectories(path.slice(0, path.lastIndexOf('/')))
      this.#files.unlink(path)
      this.#files.symlink(target, path)
      return undefined
    },
    rm: (path = '') => {
      this.#files.unlink(path)
      return undefined
    },
    generator: () => this.#put('/usr/lib/systemd/system-generators/podman-system-generator', ''),
    reboot: () => {
      this.#systemd = new Systemd(this.#files)
      this.#systemd.boot()
      return undefined
    },
    cat: (unit = '') => definitionOf(this.#files, unit)?.replace(/^\n/gm, ''),
    loaded: (pattern = '') => {
      const { stdout } = this.#ran('systemctl', 'show', '--property=Id', '--', pattern)
      return stdout
        .split(/(?<=\n)\n?/)
        .sort()
        .join('')
    },
    reads: (unit = '') => `${this.#systemd.memory.units[unit]?.read}\n`,
    fails: (unit = '') => {
      const { units } = this.#systemd.memory
      while (units[unit]?.active !== 'failed') this.#ran('systemctl', 'show', '--property=Id', '--', unit)
      return undefined
    },
    links: () => this.#links(UNITS).sort().join(''),
    users: () => {
      const texts = ['passwd', 'group'].map(name => textOf(this.#files, `/etc/${name}`))
      return texts.flatMap(text => text?.match(/^m-[^:]*/gm)?.map(name => `${name}\n`) ?? []).join('')
    },
    stat: (path = '') => {
      const { kind, mode } = this.#files.stat(path)!
      return `${kind} ${mode.toString(8)}\n`
    },
  }

  #put(path: string, text: string): undefined {
    this.#makeDirectories(path.slice(0, path.lastIndexOf('/')))
    this.#files.create(path, 0o644).write(Buffer.from(text))
  }

  #makeDirectories(path: string): void {
    if (path === '') return
    this.#makeDirectories(path.slice(0, path.lastIndexOf('/')))
    this.#files.mkdir(path, 0o755)
  }

  #links(directory: string): string[] {
    return namesIn(this.#files, directory).flatMap(name => {
      const path = `${directory}/${name}`
      const target = this.#files.readlink(path)
      if (target !== undefined) return name.startsWith('m-') ? [`${path} -> ${target}\n`] : []
      if (this.#files.stat(path)?.kind !== 'directory') return []
      return [...(/^m-.*\.wants$/.test(name) ? [`${path}\n`] : []), ...this.#links(path)]
    })
  }
}
