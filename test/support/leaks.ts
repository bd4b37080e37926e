const HASH_BASE = 31;
const TOLD_LENGTH_MAX = 400;
const SIEVE_BITS = 0xffff;

const NONE: readonly Form[] = [];

type Form = { readonly word: string; readonly form: string };

/** Every way in which a word can stand in a text: as it is, escaped, in hexadecimal, or in base64 from any of three places on. */
function formsOf(word: string): string[] {
  const bytes = Buffer.from(word);
  const inBase64 = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    // The first and the last characters depend on the neighbours.
    return encoded.slice(Math.ceil((shift * 4) / 3) + 1, Math.floor(((shift + bytes.length) * 4) / 3) - 1);
  });
  const inBase64Url = inBase64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'));
  const escaped = [JSON.stringify(word).slice(1, -1), encodeURIComponent(word)];
  const inHex = [bytes.toString('hex'), bytes.toString('hex').toUpperCase()];
  return [...new Set([word, ...escaped, ...inHex, ...inBase64, ...inBase64Url])];
}

/**
 * The lines of `text` that hold one of the words in any form. All forms are looked for in one pass (Rabin and Karp's), because
 * fault runs have hundreds of words and many megabytes of logs.
 */
export function findLeaks(text: string, words: readonly string[]): string[] {
  const forms = words.flatMap((word) => formsOf(word).map((form) => ({ word, form })));
  const width = Math.min(...forms.map(({ form }) => form.length));
  if (forms.length === 0 || text.length < width) return [];
  if (width === 0) throw new Error('a word that short stands everywhere');
  const byHash = new Map<number, Form[]>();
  const sieve = new Uint8Array(SIEVE_BITS + 1);
  for (const one of forms) {
    const hash = hashOf(one.form, width);
    byHash.set(hash, [...(byHash.get(hash) ?? []), one]);
    sieve[hash & SIEVE_BITS] = 1;
  }
  const leaks = new Set<string>();
  let dropped = 1;
  for (let power = 0; power < width; power += 1) dropped = Math.imul(dropped, HASH_BASE);
  let hash = hashOf(text, width);
  for (let at = 0; ; at += 1) {
    const candidates = sieve[hash & SIEVE_BITS] === 1 ? (byHash.get(hash) ?? NONE) : NONE;
    for (const { word } of candidates.filter(({ form }) => text.startsWith(form, at)))
      leaks.add(`${word}: ${lineAround(text, at)}`);
    const next = at + width;
    if (next >= text.length) return [...leaks];
    hash = (Math.imul(hash, HASH_BASE) + text.charCodeAt(next) - Math.imul(text.charCodeAt(at), dropped)) | 0;
  }
}

function hashOf(text: string, width: number): number {
  let hash = 0;
  for (let at = 0; at < width; at += 1) hash = (Math.imul(hash, HASH_BASE) + text.charCodeAt(at)) | 0;
  return hash;
}

function lineAround(text: string, at: number): string {
  const start = text.lastIndexOf('\n', at - 1) + 1;
  const end = text.indexOf('\n', at);
  return text.slice(start, end === -1 ? undefined : end).slice(0, TOLD_LENGTH_MAX);
}
