import type { Operator } from '../support/operator.ts'

/** What it printed. Rejects where it failed: a run that did not do its work must not count as a fast one. */
export async function run(operator: Operator, argv: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await operator.execute(argv)
  if (code !== 0) throw new Error(`'${argv.join(' ')}' ended with ${code}\n${stderr}${stdout}`)
  return stdout
}
