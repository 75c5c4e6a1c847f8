/**
 * What every Machine does, as cases that run in any engine: no Node in here. Each gets a machine whose root holds a
 * `/tmp` and nothing else, and whose input is 'hello', then the end; it throws where something is not so.
 */
import { type Machine, SystemFailure } from '../../agent/host/machine.ts'

export const machineCases: Readonly<Record<string, (machine: Machine) => void>> = {
  'a file is read as it was written'({ files }) {
    write(files, '/tmp/a', 'one')
    write(files, '/tmp/a', 'two')
    same(text(files.read('/tmp/a')), 'two')
    const log = files.append('/tmp/a', 0o600)
    log.write(bytes(' and'))
    log.write(bytes(' three'))
    log.sync()
    log.close()
    same(text(files.read('/tmp/a')), 'two and three')
    same(text(files.read('/tmp/empty') ?? bytes('none')), 'none')
    write(files, '/tmp/empty', '')
    same(files.read('/tmp/empty')?.length, 0)
  },

  'a large file comes in pieces'({ files }) {
    const large = Uint8Array.from({ length: 600_000 }, (_, i) => i * 7)
    const file = files.create('/tmp/large', 0o644)
    file.write(large)
    file.close()
    const pieces: Uint8Array[] = []
    same(
      files.readPieces('/tmp/large', piece => pieces.push(piece)),
      true,
    )
    same(
      pieces.map(piece => piece.length),
      [262144, 262144, 75712],
    )
    same(pieces[1]![5], large[262149])
    same(files.read('/tmp/large'), large)
    same(
      files.readPieces('/tmp/none', () => {}),
      undefined,
    )
  },

  'what is not there is undefined or false'({ files }) {
    write(files, '/tmp/file', '')
    for (const path of ['/tmp/none', '/tmp/none/below', '/tmp/file/below']) {
      same(files.read(path), undefined)
      same(files.stat(path), undefined)
      same(files.list(path), undefined)
      same(files.readlink(path), undefined)
      same(files.unlink(path), false)
      same(files.rmdir(path), false)
    }
    same(files.list('/tmp/file'), undefined)
  },

  'failures carry the name of the error'({ files }) {
    write(files, '/tmp/file', '')
    files.mkdir('/tmp/full', 0o755)
    write(files, '/tmp/full/file', '')
    fails('ENOENT', () => files.create('/tmp/none/file', 0o644))
    fails('ENOENT', () => files.mkdir('/tmp/none/deep', 0o755))
    fails('EEXIST', () => files.mkdir('/tmp/file', 0o755))
    fails('EEXIST', () => files.symlink('x', '/tmp/file'))
    fails('EISDIR', () => files.create('/tmp/full', 0o644))
    fails('EISDIR', () => files.read('/tmp/full'))
    fails('EISDIR', () => files.unlink('/tmp/full'))
    fails('ENOENT', () => files.rename('/tmp/none', '/tmp/other'))
    fails('ENAMETOOLONG', () => files.stat(`/tmp/${'n'.repeat(300)}`))
    fails('EINVAL', () => files.unlink('/tmp/file\0hidden'))
    same(files.stat('/tmp/file')?.kind, 'file')
  },

  'stat tells kind, mode, owner, size and time'({ files, now }) {
    const before = now()
    write(files, '/tmp/file', 'four')
    files.chmod('/tmp/file', 0o4751)
    files.symlink('/nowhere', '/tmp/link')
    const file = files.stat('/tmp/file')!
    same([file.kind, file.mode, file.size], ['file', 0o4751, 4])
    same(Math.abs(file.mtimeMs - before) < 60_000, true)
    same(files.stat('/tmp')?.kind, 'directory')
    same(files.stat('/tmp/link')?.kind, 'symlink')
    files.chown('/tmp/link', file.uid, file.gid)
    fails('ENOENT', () => files.chown('/tmp/none', 0, 0))
  },

  'the mask is 022'({ files }) {
    files.create('/tmp/file', 0o666).close()
    files.mkdir('/tmp/directory', 0o777)
    same([files.stat('/tmp/file')?.mode, files.stat('/tmp/directory')?.mode], [0o644, 0o755])
  },

  'names are sorted, and may be any UTF-8'({ files }) {
    for (const name of ['b', 'ä', 'a', '.hidden', '日本', '😀']) write(files, `/tmp/${name}`, 'four')
    same(files.list('/tmp'), ['.hidden', 'a', 'b', 'ä', '日本', '😀'])
    same(files.read('/tmp/😀')?.length, 4)
  },

  'directories are made once and removed when empty'({ files }) {
    files.mkdir('/tmp/directory', 0o700)
    files.mkdir('/tmp/directory', 0o755)
    same(files.stat('/tmp/directory')?.mode, 0o700)
    write(files, '/tmp/directory/file', '')
    same(files.rmdir('/tmp/directory'), false)
    same(files.unlink('/tmp/directory/file'), true)
    same(files.rmdir('/tmp/directory'), true)
    same(files.stat('/tmp/directory'), undefined)
  },

  'links keep their target, and rename replaces them'({ files }) {
    files.symlink('/var/lib/ä', '/tmp/link')
    same(files.readlink('/tmp/link'), '/var/lib/ä')
    files.symlink('elsewhere', '/tmp/next')
    files.rename('/tmp/next', '/tmp/link')
    same(files.readlink('/tmp/link'), 'elsewhere')
    write(files, '/tmp/file', 'x')
    same(files.readlink('/tmp/file'), undefined)
    files.link('/tmp/file', '/tmp/second')
    write(files, '/tmp/file', 'y')
    same(text(files.read('/tmp/second')), 'y')
    files.link('/tmp/link', '/tmp/same-link')
    same(files.readlink('/tmp/same-link'), 'elsewhere')
  },

  'what somebody puts in the place of a file is not followed, and holds nobody up'({ files, run, root }) {
    write(files, '/tmp/secret', 'secret')
    files.chmod('/tmp/secret', 0o600)
    files.symlink('secret', '/tmp/planted')
    fails('EEXIST', () => files.createNew('/tmp/planted', 0o600))
    fails('EEXIST', () => files.createNew('/tmp/secret', 0o600))
    fails('ELOOP', () => files.readPieces('/tmp/planted', () => {}))
    fails('EOPNOTSUPP', () => files.chmod('/tmp/planted', 0o666))
    same(files.stat('/tmp/secret')?.mode, 0o600)
    const file = files.createNew('/tmp/new', 0o640)
    file.write(bytes('new'))
    file.close()
    same([text(files.read('/tmp/new')), files.stat('/tmp/new')?.mode], ['new', 0o640])
    same(run(['mkfifo', `${root}/tmp/fifo`]).code, 0)
    same(files.read('/tmp/fifo')?.length, 0)
    same(
      files.readPieces('/tmp/fifo', () => {}),
      true,
    )
  },

  'files and directories reach the disk'({ files }) {
    write(files, '/tmp/file', 'x')
    files.sync('/tmp/file')
    files.sync('/tmp')
    fails('ENOENT', () => files.sync('/tmp/none'))
    files.syncFileSystem('/tmp')
    fails('ENOENT', () => files.syncFileSystem('/tmp/none'))
    const { bytes, inodes } = files.space('/tmp')
    same([bytes > 0, inodes > 0], [true, true])
    fails('ENOENT', () => files.space('/tmp/none'))
    same(files.space('/tmp').readOnly, false)
  },

  'a program tells how it ended and what it said'({ run }) {
    same(run(['sh', '-c', 'printf out; printf err >&2; exit 3']), { code: 3, stdout: 'out', stderr: 'err' })
    same(run(['sh', '-c', 'kill -9 $$']).code, null)
    fails('ENOENT', () => run(['no-such-program']))
  },

  'a program gets its arguments as they are, an empty stdin and no translations'({ run }) {
    same(run(['printf', '%s|', 'a b', '$HOME', 'ä', '']).stdout, 'a b|$HOME|ä||')
    same(run(['cat']), { code: 0, stdout: '', stderr: '' })
    same(run(['sh', '-c', 'echo $LC_ALL $SYSTEMD_COLORS .$SYSTEMD_PAGER.']).stdout, 'C 0 ..\n')
  },

  'a program runs where it is told to'({ files, root, run }) {
    files.mkdir('/tmp/work', 0o755)
    same(run(['pwd', '-P'], { cwd: '/tmp/work' }).stdout, `${root}/tmp/work\n`)
    fails('ENOENT', () => run(['pwd'], { cwd: '/tmp/none' }))
  },

  'the end of much output is kept'({ run }) {
    const { code, stdout, stderr } = run(['sh', '-c', 'seq 100000; seq 100000 >&2'])
    same([code, stdout.length, stderr.length], [0, 65536, 65536])
    same([stdout.slice(-14), stderr.slice(-7)], ['\n99999\n100000\n', '100000\n'])
  },

  'output that is not UTF-8 becomes replacement characters'({ run }) {
    const octal =
      '\\303\\244 \\377 \\355\\240\\200 \\360\\237\\230 \\360\\237\\230\\200 \\300\\257 \\342\\202'
    same(run(['printf', octal]).stdout, 'ä \ufffd \ufffd\ufffd\ufffd \ufffd 😀 \ufffd\ufffd \ufffd')
  },

  'a program that takes too long is killed'({ run }) {
    const { code, stdout } = run(['sh', '-c', 'echo begun; exec sleep infinity'], { timeoutMs: 200 })
    same([code, stdout], [null, 'begun\n'])
  },

  'a program is killed as soon as it is not wanted any more'({ run, ticks }) {
    const start = ticks()
    const interrupted = () => ticks() - start > 200
    const { code, stdout } = run(['sh', '-c', 'echo begun; exec sleep infinity'], { interrupted })
    same([code, stdout], [null, 'begun\n'])
    same(run(['sh', '-c', 'exit 3'], { interrupted: () => false }).code, 3)
  },

  'what a program leaves running is not waited for'({ run, ticks }) {
    const start = ticks()
    same(run(['sh', '-c', 'echo done; sleep 60 &']).stdout, 'done\n')
    same(ticks() - start < 45_000, true)
  },

  'a service that is not there is an error with a name'({ files, probe }) {
    // Port 1 of the loopback: nothing listens there, and nobody ever will.
    fails('ECONNREFUSED', () => probe({ address: '127.0.0.1', port: 1 }, '', 1000))
    fails('ENOENT', () => probe({ path: '/tmp/none' }, '', 1000))
    write(files, '/tmp/file', '')
    fails('ECONNREFUSED', () => probe({ path: '/tmp/file' }, '', 1000))
  },

  'hashes are those of FIPS 180'({ hasher }) {
    const hash = (algorithm: 'sha1' | 'sha256', ...pieces: string[]) => {
      const state = hasher(algorithm)
      for (const piece of pieces) state.update(bytes(piece))
      return state.digest()
    }
    same(hash('sha1'), 'da39a3ee5e6b4b0d3255bfef95601890afd80709')
    same(hash('sha1', 'a', 'bc'), 'a9993e364706816aba3e25717850c26c9cd0d89d')
    same(hash('sha256', 'abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    const million = Array.from({ length: 1000 }, () => 'a'.repeat(1000))
    same(hash('sha1', ...million), '34aa973cd4c4daa4f61eeb2bdbad27316534016f')
    same(hash('sha256', ...million), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0')
    // Around a block's end, where the padding does or does not fit, whole and in two pieces.
    for (const length of [55, 56, 63, 64, 65, 119, 120]) {
      const whole = 'x'.repeat(length)
      same(hash('sha256', whole.slice(0, 37), whole.slice(37)), hash('sha256', whole))
    }
    const used = hasher('sha1')
    used.digest()
    throws(() => used.digest())
  },

  'clocks go on, and sleep sleeps'({ now, sleep, ticks }) {
    const [wall, start] = [now(), ticks()]
    sleep(30)
    same(ticks() - start >= 29, true)
    same(now() >= wall && wall > 1.6e12, true)
    sleep(0)
  },

  'a lock is taken once'({ files, lock }) {
    same(lock('/tmp/lock'), true)
    same(lock('/tmp/lock'), false)
    same(files.stat('/tmp/lock')?.mode, 0o600)
    fails('ENOENT', () => lock('/tmp/none/lock'))
  },

  'input comes, then ends for good'({ input }) {
    let all = ''
    for (let got = input.read(5000); got !== 'end'; got = input.read(5000)) all += text(got as Uint8Array)
    same(all, 'hello')
    same(input.read(Number.POSITIVE_INFINITY), 'end')
  },

  'a directory as root has no systemd'({ bootId, systemd, terminated }) {
    same(/^[0-9a-f-]{36}$/.test(bootId()), true)
    same([systemd, terminated()], [false, false])
  },
}

function write(files: Machine['files'], path: string, content: string): void {
  const file = files.create(path, 0o644)
  file.write(bytes(content))
  file.close()
}

const bytes = (ascii: string) => Uint8Array.from(ascii, char => char.charCodeAt(0) & 0xff)
const text = (ascii: Uint8Array | undefined) => ascii && String.fromCharCode(...ascii)

function same(actual: unknown, expected: unknown): void {
  const [found, wanted] = [show(actual), show(expected)]
  if (found !== wanted) throw new Error(`expected ${wanted.slice(0, 300)}, found ${found.slice(0, 300)}`)
}

function show(value: unknown): string {
  return value instanceof Uint8Array ? `bytes ${Array.from(value)}` : String(JSON.stringify(value))
}

function throws(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new Error(`did not throw: ${act}`)
}

function fails(code: string, act: () => unknown): void {
  const error = throws(act)
  if (!(error instanceof SystemFailure)) throw new Error(`expected ${code}, found ${error}`)
  same(error.code, code)
}
