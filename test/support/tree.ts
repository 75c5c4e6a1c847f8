import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Files by path: `{ 'web1/nginx/site.conf': 'listen 80;' }`. */
export type Tree = Readonly<Record<string, Content>>

export type Content = string | Uint8Array | { readonly symlink: string } | { readonly executable: string }

/** Replaces what is there. */
export function writeTree(top: string, tree: Tree): void {
  for (const [path, content] of Object.entries(tree)) {
    const file = join(top, path)
    mkdirSync(dirname(file), { recursive: true })
    rmSync(file, { force: true })
    put(file, content)
  }
}

function put(file: string, content: Content): void {
  if (typeof content === 'string' || content instanceof Uint8Array) writeFileSync(file, content)
  else if ('symlink' in content) symlinkSync(content.symlink, file)
  else {
    writeFileSync(file, content.executable)
    chmodSync(file, 0o755)
  }
}
