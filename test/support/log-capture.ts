import { vi } from 'vitest';

/** Takes the very lines that the logger writes, as a log collector gets them, until `vi.restoreAllMocks`. */
export function captureLog(): { readonly text: () => string } {
  let text = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((data, ...rest) => {
    text += String(data);
    const done = rest.at(-1);
    if (typeof done === 'function') setImmediate(done);
    return true;
  });
  return { text: () => text };
}
