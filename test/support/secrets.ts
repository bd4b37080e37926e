/** What the callers of a backend under test send in X-Internal-Secret. */
export const INTERNAL_SECRET = 'the-secret-of-the-tests-only';
