import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { actionsOf, EXCEPTION_KINDS, kindOf } from '../../src/admin/exception-kinds.js';

const SRC = new URL('../../src', import.meta.url).pathname;
const ARCHITECTURE = new URL('../../docs/architecture.md', import.meta.url);

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'))
  .map((path) => ({ path, text: readFileSync(join(SRC, path), 'utf8') }));

/** Constants that name a kind. */
const constants = new Map(
  sources.flatMap(({ text }) =>
    [...text.matchAll(/export const (\w+) = '([a-z_]+)'/g)].map(([, name = '', value = '']) => [name, value]),
  ),
);

/** What stands after `kind:` in each call that raises an exception, as it is written. */
const raised = sources.flatMap(({ path, text }) =>
  [...text.matchAll(/exceptions\s*\.raise\(/g)].map(({ index }) => ({
    path,
    kind: /kind: ([^,\n]+)/.exec(text.slice(index, index + 200))?.[1] ?? 'none',
  })),
);

/** The inbox raises what the handlers of messages say. */
const quarantined = sources.flatMap(({ text }) =>
  [...text.matchAll(/exceptionKind: '([a-z_]+)'/g)].map(([, kind = '']) => kind),
);

const kinds = raised.flatMap(({ path, kind }) => {
  if (kind.startsWith("'")) return [kind.slice(1, -1)];
  if (kind === 'handling.exceptionKind') return quarantined;
  const constant = constants.get(kind);
  if (!constant) throw new Error(`${path} raises an exception whose kind cannot be read: ${kind}`);
  return [constant];
});

// An operator who finds a word that nobody explains, and no button below it, can do nothing at night.
describe('every kind of exception that is raised', () => {
  it('is found by this test', () => {
    expect(raised.length).toBeGreaterThan(15);
    expect(quarantined.length).toBeGreaterThan(3);
  });

  it('is in the table of kinds, and the table has no other', () => {
    expect([...new Set(kinds)].sort()).toEqual([...EXCEPTION_KINDS].sort());
  });

  it('is explained in docs/architecture.md with what can be done about it', () => {
    const rows = readFileSync(ARCHITECTURE, 'utf8')
      .split('\n')
      .map((line) => /^\| `([a-z_]+)` +\| (.+?) +\| (.+?) +\|$/.exec(line))
      .filter((row) => row !== null)
      .map(([, kind, , actions]) => [kind, actions]);
    const expected = EXCEPTION_KINDS.map((kind) => [kind, kindOf(kind).actions.join(', ')]);
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(expected));
  });

  it('can be dismissed, or says how it ends', () => {
    for (const kind of EXCEPTION_KINDS) {
      const { actions, endsBy } = kindOf(kind);
      expect([kind, actions.includes('dismiss')]).toEqual([kind, endsBy === undefined]);
    }
  });

  it('can be reopened when it is dismissed, and nothing else', () => {
    expect(actionsOf({ kind: 'payment_held', status: 'dismissed' })).toEqual(['reopen']);
    expect(actionsOf({ kind: 'payment_held', status: 'resolved' })).toEqual([]);
    expect(actionsOf({ kind: 'of_a_later_version', status: 'open' })).toEqual(['dismiss']);
  });
});
