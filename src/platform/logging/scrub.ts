const TEXT_LENGTH_MAX = 500;

/** Text that a driver copies from data or credentials; the shape of the error is kept, the values are not. */
const VALUE_PATTERNS: readonly [RegExp, string][] = [
  [/(entry|value:?|values:?) '(?:[^'\\]|\\.)*'/gi, "$1 '***'"],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/gi, '$1***@'],
  [
    /\b(passw(?:or)?d|pwd|secret|token|authorization|api[_-]?key|openid|unionid)(["']?\s*[=:]\s*["']?)[^\s"',;&}]+/gi,
    '$1$2***',
  ],
  [/-----BEGIN [A-Z ]+-----[\s\S]*?(-----END [A-Z ]+-----|$)/g, '***PEM***'],
  [/\bBearer\s+\S+/gi, 'Bearer ***'],
];

/** Removes credentials and personal data that error texts are known to carry, and bounds the length. */
export function scrubText(text: string): string {
  let clean = text;
  for (const [pattern, replacement] of VALUE_PATTERNS) clean = clean.replace(pattern, replacement);
  // Control characters would let stored text forge log lines.
  // eslint-disable-next-line no-control-regex
  return clean.replace(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, TEXT_LENGTH_MAX);
}

export type ScrubbedError = {
  readonly name: string;
  readonly code?: string;
  readonly message: string;
  readonly frames?: string[];
};

const FRAMES_MAX = 8;

/** What may be told of an error: an allow-list, because error objects of drivers carry SQL and its parameters. */
export function scrubError(error: unknown): ScrubbedError {
  if (!(error instanceof Error)) return { name: typeof error, message: scrubText(String(error)) };
  const { code } = error as { code?: unknown };
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return {
    name: error.name,
    ...(typeof code === 'string' || typeof code === 'number' ? { code: String(code) } : {}),
    message: scrubText(error.message),
    frames: frames.slice(0, FRAMES_MAX).map((line) => line.trim()),
  };
}
