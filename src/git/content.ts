/** The content of one object, as fast as it is taken and no faster: for those that are too long to be held. */
import { spawn } from 'node:child_process'
import type { Oid } from '../plan/names.ts'
import type { ObjectType } from './batch-parser.ts'
import { GitError, notStarted, type Repository, unseen } from './git.ts'

/** Throws Fatal where git cannot give all of it. */
export async function* streamContent(
  repo: Repository,
  type: ObjectType,
  oid: Oid,
): AsyncGenerator<Uint8Array> {
  const child = spawn('git', ['cat-file', type, oid], {
    ...unseen(repo),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', error => reject(notStarted(error)))
    child.on('close', code => resolve(code ?? -1))
  })
  ended.catch(() => {
    // Told below, unless whoever takes the content has gone before.
  })
  const stderr: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  try {
    yield* child.stdout
    const code = await ended
    if (code !== 0)
      throw new GitError('cat-file', { code, stdout: Buffer.of(), stderr: Buffer.concat(stderr).toString() })
  } finally {
    child.kill()
  }
}
