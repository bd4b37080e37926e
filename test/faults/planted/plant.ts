import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Edit } from './planted-bug.ts';

/**
 * A tree of compiled files with mistakes in it, beside the one it is made from: all other files are links to it. It must lie
 * below the project, whose packages it uses.
 * @throws Error when a place of an edit is not there exactly once: then the bug has to follow the code
 */
export function plant(edits: readonly Edit[], { compiled, into }: { compiled: string; into: string }): void {
  rmSync(into, { recursive: true, force: true });
  const files = readdirSync(compiled, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter(
    (name) => name.endsWith('.js') && statSync(join(compiled, name)).isFile(),
  )) {
    mkdirSync(dirname(join(into, file)), { recursive: true });
    linkSync(join(compiled, file), join(into, file));
  }
  for (const edit of edits) rewrite(into, edit);
}

function rewrite(tree: string, { file, find, replace }: Edit): void {
  const path = join(tree, file);
  const parts = readFileSync(path, 'utf8').split(find);
  if (parts.length !== 2)
    throw new Error(
      `"${find}" stands ${parts.length - 1} times in ${file}, and not once: the code has moved on`,
    );
  // A new file: writing into the link would change the tree that it leads to.
  rmSync(path);
  writeFileSync(path, parts.join(replace));
}
