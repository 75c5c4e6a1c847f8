/**
 * For esbuild: fflate loaded when it is first called. It fills its tables as it loads, which takes this engine 4 ms,
 * more than all else between exec and hello; a session that only answers, confirms or undoes never needs them.
 */
import { readFileSync } from 'node:fs'
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
    build.onLoad({ filter: /\/fflate\/esm\/.*\.js$/ }, ({ path }) => ({
      contents: withRoom(readFileSync(path, 'utf8')),
    }))
  },
}

/**
 * Where a piece ends within a table of code lengths, fflate reads zeros behind it, and a repetition in those may run
 * past the end of the table. Other engines ignore that; in this one it throws, before fflate sees that it has to wait.
 */
function withRoom(source) {
  return ROOM.reduce((text, [before, after]) => {
    if (!text.includes(before))
      throw new Error(`fflate has no '${before}' any more: is its table long enough now?`)
    return text.replace(before, after)
  }, source)
}

/** No repetition is longer than 138 (RFC 1951, 3.2.7), and the first of it is inside. */
const ROOM = [
  ['ldt = new u8(tl)', 'ldt = new u8(tl + 137)'],
  ['dt = ldt.subarray(hLit)', 'dt = ldt.subarray(hLit, tl)'],
]

/** Names what of fflate the agent uses, so that esbuild still leaves out the rest. */
const USED = "export { Unzlib, unzlibSync } from 'fflate'"

const LAZY = `
export const unzlibSync = bytes => require('used').unzlibSync(bytes)
export function Unzlib(onPiece) { return new (require('used').Unzlib)(onPiece) }`
