export type Column = {
  readonly name: string;
  /** As information_schema says it: `enum('a','b')`, `bigint(20) unsigned`, `timestamp`. */
  readonly type: string;
};

type Written = { readonly text: string; readonly type: string };

/** What MySQL writes after a backslash; any other character stands for itself. */
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b' };
const MYSQL_ESCAPE = /\\(?:x([0-9a-f]{2})|(.))/gs;
const MARIADB_ESCAPE = /\\x([01][0-9a-f])/g;

/** One value of a row event as a query would show it as text, in UTC. */
export function readValue(
  { text, type }: Written,
  column: Column,
  server: 'mariadb' | 'mysql',
): string | null {
  if (text === 'NULL') return null;
  switch (type) {
    case 'ENUM':
      return enumWords(column.type)[Number(text) - 1] ?? '';
    case 'TIMESTAMP':
      return timestamp(text);
    case 'DATE':
      return unquote(text, server).replaceAll(':', '-');
    default:
      if (text.startsWith("'")) return unquote(text, server);
      return integer(text, column);
  }
}

/** `-1 (255)`: signed, and in brackets what the same bytes are without a sign. */
function integer(text: string, { type }: Column): string {
  const both = /^(-?\d+) \((\d+)\)$/.exec(text);
  if (!both) return text;
  return (/\bunsigned\b/.test(type) ? both[2] : both[1]) ?? text;
}

/** Seconds since 1970, with as many decimals as the column has, become `2026-01-02 03:04:05.678`. */
function timestamp(text: string): string {
  const [seconds = '', fraction] = text.split('.');
  const moment = new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ');
  return fraction ? `${moment}.${fraction}` : moment;
}

function unquote(text: string, server: 'mariadb' | 'mysql'): string {
  const inner = text.slice(1, -1);
  if (server === 'mariadb') return inner.replace(MARIADB_ESCAPE, (_, code: string) => characterOf(code));
  return inner.replace(MYSQL_ESCAPE, (_, code: string | undefined, char: string) =>
    code ? characterOf(code) : (ESCAPES[char] ?? char),
  );
}

function characterOf(code: string): string {
  return String.fromCharCode(parseInt(code, 16));
}

const wordsByType = new Map<string, readonly string[]>();

function enumWords(type: string): readonly string[] {
  let words = wordsByType.get(type);
  if (!words) {
    words = [...type.matchAll(/'((?:[^']|'')*)'/g)].map(([, word = '']) => word.replaceAll("''", "'"));
    wordsByType.set(type, words);
  }
  return words;
}
