/** The environment for a runner that a test starts: one that finds itself in a test of another runs nothing. */
export function outsideOfTests({ NODE_TEST_CONTEXT: _, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env
}
