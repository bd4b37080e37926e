/** True when arrays and objects are nested deeper than `depthMax`. Walks level by level, so no depth overflows the stack. */
export function jsonDepthExceeds(value: unknown, depthMax: number): boolean {
  let level = [value].filter(isContainer);
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth >= depthMax) return true;
    level = level.flatMap((container) => Object.values(container).filter(isContainer));
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/**
 * True when an object in the text has a key twice: which of the values counts would depend on the reader.
 * `value` is what JSON.parse made of the text; it keeps one of them, so that the text then has more colons
 * between key and value than the value has keys.
 */
export function jsonRepeatsKey(text: string, value: unknown): boolean {
  const withoutStrings = text.replace(/"(?:[^"\\]|\\.)*"/g, '');
  return withoutStrings.split(':').length - 1 > countKeys(value);
}

function countKeys(value: unknown): number {
  let keys = 0;
  let level = [value].filter(isContainer);
  while (level.length > 0) {
    for (const container of level) if (!Array.isArray(container)) keys += Object.keys(container).length;
    level = level.flatMap((container) => Object.values(container).filter(isContainer));
  }
  return keys;
}
