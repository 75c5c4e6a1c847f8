/** A running `git cat-file --batch`: questions go in without waiting, and the answers come in their order. */
import { spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { BatchParser, type GitObject, type LargeObject } from './batch-parser.ts'
import { GitError, notStarted, type Repository, unseen } from './git.ts'

export interface Batch {
  /**
   * One promise for each name: undefined where there is no such object, and only its size where it has more than
   * `most` bytes. Rejects with Fatal when git ends early.
   */
  ask(names: readonly string[], most: number): Promise<Answer>[]
  running(): boolean
  /** What was asked is still answered. */
  end(): void
}

export type Answer = GitObject | LargeObject | undefined

interface Waiter {
  readonly most: number
  readonly resolve: (object: Answer) => void
  readonly reject: (error: Error) => void
}

/** The process keeps ours alive only while somebody waits for an answer. */
export function startBatch(repo: Repository): Batch {
  const child = spawn('git', ['cat-file', '--batch'], { ...unseen(repo), stdio: 'pipe' })
  const waiting: Waiter[] = []
  const stderr: Buffer[] = []
  let running = true

  const answer = (object: Answer) => {
    waiting.shift()?.resolve(object)
    if (waiting.length === 0) keepAlive(false)
  }
  const parser = new BatchParser(answer, () => waiting[0]?.most ?? 0)
  const fail = (error: Error) => {
    running = false
    for (const { reject } of waiting.splice(0)) reject(error)
  }
  const keepAlive = (on: boolean) => {
    for (const part of [child, child.stdin, child.stdout, child.stderr])
      if (part === child || part instanceof Socket) on ? part.ref() : part.unref()
  }

  child.stdout.on('data', (chunk: Buffer) => parser.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  // What broke shows in how the process ends.
  child.stdin.on('error', () => {})
  child.on('error', error => fail(notStarted(error)))
  child.on('close', code => {
    const result = { code: code ?? -1, stdout: Buffer.of(), stderr: Buffer.concat(stderr).toString() }
    fail(new GitError('cat-file', result))
  })
  keepAlive(false)

  return {
    ask(names, most) {
      if (names.length > 0) keepAlive(true)
      const answers = names.map(
        () => new Promise<Answer>((resolve, reject) => waiting.push({ most, resolve, reject })),
      )
      child.stdin.write(names.map(name => `${name}\n`).join(''))
      return answers
    },
    running: () => running,
    end: () => child.stdin.end(),
  }
}
