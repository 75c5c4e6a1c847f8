import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { defineConfig, type Options } from 'tsup'

type Plugin = NonNullable<Options['esbuildPlugins']>[number]

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

/** Of yargs we take the parser; what stands beside it would load 50 ms of help and translations. */
const UNUSED_BY_YARGS: Readonly<Record<string, string>> = {
  '../lib/platform-shims/esm.mjs': 'export default undefined',
}

/** For configuration in files, of which we have none. */
const UNUSED_BY_THE_PARSER: typeof UNUSED_BY_YARGS = {
  'node:module': 'export const createRequire = undefined',
}

/** Parts of Node that are loaded when one of these functions is called: crypto takes 3 ms, and a plan may do without. */
const LATE: Readonly<Record<string, readonly string[]>> = {
  'node:fs/promises': ['appendFile', 'chmod', 'mkdir', 'mkdtemp', 'rename', 'rm', 'writeFile'],
  'node:crypto': ['createHash', 'createPrivateKey', 'createHmac', 'randomBytes'],
  'node:zlib': ['createDeflate', 'deflateSync', 'inflateSync'],
}

/** ssh2 can be a server, copy files, make keys, and has agents for node:http, for which it loads all of that. */
const UNUSED_BY_SSH2: typeof UNUSED_BY_YARGS = {
  './http-agents.js': 'module.exports = {}',
  './keygen.js': 'module.exports = {}',
  './protocol/SFTP.js': 'module.exports = { SFTP: class {} }',
  './server.js': 'module.exports = {}',
  // For keys with a passphrase only.
  'bcrypt-pbkdf': "exports.pbkdf = (...args) => require('bcrypt-pbkdf').pbkdf(...args)",
}

export default defineConfig({
  // ssh2 by itself: only a command that connects to a host loads it.
  entry: { start: 'src/start.ts', main: 'src/main.ts', ssh2: 'node_modules/ssh2/lib/index.js' },
  // Node loads it 10 ms sooner than ES modules, and V8's code cache (src/start.ts) is for scripts.
  format: 'cjs',
  target: 'node20',
  platform: 'node',
  // The agents are there too, built by agent/build/build.mjs.
  clean: ['!agent/**'],
  splitting: false,
  // For agent/build/third-party.mjs; it stays out of the package.
  metafile: true,
  minifySyntax: true,
  minifyWhitespace: true,
  removeNodeProtocol: false,
  // ssh2 tries these and does without. The rest is bundled, because package.json has development dependencies only.
  external: [/\.node$/, 'cpu-features'],
  define: {
    VERSION: JSON.stringify(version),
    'import.meta.dirname': '__dirname',
  },
  esbuildPlugins: [
    {
      name: 'bundles',
      setup({ onResolve }) {
        onResolve({ filter: /^ssh2$/ }, () => ({ path: './ssh2.cjs', external: true }))
        // The portable build, as in the agent: the other one looks for a native addon, and loads node:stream.
        onResolve({ filter: /^msgpackr$/ }, () => ({ path: resolve('node_modules/msgpackr/index.js') }))
      },
    },
    {
      name: 'late',
      setup({ onResolve, onLoad }) {
        onResolve({ filter: /^node:/ }, ({ path, importer }) =>
          path in LATE && importer.includes('/src/') ? { path, namespace: 'late' } : undefined,
        )
        onLoad({ filter: /.*/, namespace: 'late' }, ({ path }) => ({
          contents: LATE[path]!.map(
            name => `export const ${name} = (...args) => require('${path}').${name}(...args)\n`,
          ).join(''),
        }))
      },
    },
    leaveOut('yargs', UNUSED_BY_YARGS),
    leaveOut('yargs-parser', UNUSED_BY_THE_PARSER),
    leaveOut('ssh2', UNUSED_BY_SSH2),
  ],
  esbuildOptions(options) {
    // jsonc-parser's `main` is a UMD module whose require() calls no bundler sees through.
    options.mainFields = ['module', 'main']
    options.legalComments = 'none'
    // A script from the code cache has no import(): it becomes a require() at the same place, and as late.
    options.supported = { 'dynamic-import': false }
  },
})

/** Gives a package other sources than it asks for. */
function leaveOut(from: string, unused: typeof UNUSED_BY_YARGS): Plugin {
  return {
    name: `unused-by-${from}`,
    setup({ onResolve, onLoad }) {
      const namespace = `unused-by-${from}`
      onResolve({ filter: /^[a-z.]/ }, ({ path, importer }) =>
        path in unused && importer.includes(`/node_modules/${from}/`) ? { path, namespace } : undefined,
      )
      onLoad({ filter: /.*/, namespace }, ({ path }) => ({
        contents: unused[path]!,
        resolveDir: 'node_modules',
      }))
    },
  }
}
