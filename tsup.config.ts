import { readFileSync } from 'node:fs'
import { defineConfig } from 'tsup'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

/**
 * yargs lays out help, translates it and looks for files; we let it parse. Loading these for nothing costs 50 ms a
 * command (string-width alone 45: it builds an Intl.Segmenter and expressions for emoji).
 */
const UNUSED_BY_YARGS: Readonly<Record<string, string>> = {
  assert: 'export const strictEqual = () => {}, notStrictEqual = strictEqual',
  cliui: 'export default () => { throw new Error("git deploy prints its own help") }',
  'escalade/sync': 'export default () => undefined',
  'get-caller-file': 'export default () => ""',
  'string-width': 'export default text => text.length',
  y18n: `import { format } from 'node:util'
    const many = (one, more, count, ...rest) => format(count === 1 ? one : more, count, ...rest)
    export default () => ({ __: format, __n: many, getLocale: () => 'en', setLocale() {}, updateLocale() {} })`,
}

export default defineConfig({
  entry: { main: 'src/main.ts' },
  format: 'esm',
  target: 'node20',
  platform: 'node',
  // The agents are there too, built by agent/build.mjs.
  clean: ['!agent/**'],
  splitting: true,
  // For agent/third-party.mjs; it stays out of the package.
  metafile: true,
  minifySyntax: true,
  minifyWhitespace: true,
  removeNodeProtocol: false,
  // ssh2 tries these and does without. The rest is bundled, because package.json has development dependencies only.
  external: [/\.node$/, 'cpu-features'],
  define: {
    VERSION: JSON.stringify(version),
    // ssh2's WebAssembly, which is inlined, asks where its file would be.
    __dirname: '""',
  },
  // CommonJS inside the bundle (ssh2) calls require() for Node's own modules.
  banner: {
    js: "import { createRequire as bundledRequire } from 'node:module'; const require = bundledRequire(import.meta.url);",
  },
  esbuildPlugins: [
    {
      name: 'unused-by-yargs',
      setup(build) {
        build.onResolve({ filter: /^[a-z]/ }, ({ path, importer }) =>
          path in UNUSED_BY_YARGS && importer.includes('/node_modules/yargs/')
            ? { path, namespace: 'unused-by-yargs' }
            : undefined,
        )
        build.onLoad({ filter: /.*/, namespace: 'unused-by-yargs' }, ({ path }) => ({
          contents: UNUSED_BY_YARGS[path]!,
        }))
      },
    },
  ],
  esbuildOptions(options) {
    // jsonc-parser's `main` is a UMD module whose require() calls no bundler sees through.
    options.mainFields = ['module', 'main']
    options.legalComments = 'none'
  },
})
