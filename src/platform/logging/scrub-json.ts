/** Keys of what the callers note that must not leave: openids, what is personal, and whatever names a secret. */
const HIDDEN_KEY = /openid|unionid|phone|mobile|secret|token|password|private_?key|api_?v?3?_?key|sign/i;
const HIDDEN = '***';
/** Deeper than anything a caller writes; what is below is not shown. */
const DEPTH_MAX = 12;

/** A stored document as it may be shown: the values of hidden keys are replaced, also in JSON within text. */
export function scrubJson(value: unknown, depth = 0): unknown {
  if (depth > DEPTH_MAX) return HIDDEN;
  if (typeof value === 'string') return scrubNested(value, depth);
  if (Array.isArray(value)) return value.map((item) => scrubJson(item, depth + 1));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      HIDDEN_KEY.test(key) ? HIDDEN : scrubJson(inner, depth + 1),
    ]),
  );
}

/** MariaDB gives JSON columns as text, and callers put JSON into strings; a text that is none may be an openid itself. */
function scrubNested(text: string, depth: number): unknown {
  if (/^\s*[[{]/.test(text)) {
    try {
      return scrubJson(JSON.parse(text), depth + 1);
    } catch {
      // A document that was cut short, or what somebody wrote in brackets.
      if (HIDDEN_KEY.test(text)) return HIDDEN;
    }
  }
  return text.replace(OPENID, HIDDEN);
}

/** The shape of WeChat's ids of people: 28 characters that begin with o. */
const OPENID = /\bo[0-9A-Za-z_-]{27}\b/g;
