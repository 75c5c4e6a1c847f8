/**
 * For esbuild: fflate loaded when it is first called. It fills its tables as it loads, which takes this engine 4 ms,
 * more than all else between exec and hello; a session that only answers, confirms or undoes never needs them.
 */
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))

export const lazyFflate = {
  name: 'lazy-fflate',
  setup(build) {
    build.onResolve({ filter: /^fflate$/ }, ({ namespace, path }) =>
      namespace === 'lazy-fflate' ? undefined : { path, namespace: 'lazy-fflate' },
    )
    build.onResolve({ filter: /^used$/, namespace: 'lazy-fflate' }, ({ path }) => ({
      path,
      namespace: 'lazy-fflate',
    }))
    build.onLoad({ filter: /.*/, namespace: 'lazy-fflate' }, ({ path }) => ({
      contents: path === 'used' ? USED : LAZY,
      resolveDir: HERE,
    }))
  },
}

/** Names what of fflate the agent uses, so that esbuild still leaves out the rest. */
const USED = "export { Unzlib, unzlibSync } from 'fflate'"

const LAZY = `
export const unzlibSync = bytes => require('used').unzlibSync(bytes)
export function Unzlib(onPiece) { return new (require('used').Unzlib)(onPiece) }`
