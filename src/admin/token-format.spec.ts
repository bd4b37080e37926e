import { describe, expect, it } from 'vitest';
import { bearerToken, namesBearer, hashToken, newToken, newTokenId } from './token-format.js';

describe('an admin token', () => {
  it('is wxadm_ and 256 random bits, another one each time', () => {
    const tokens = Array.from({ length: 100 }, newToken);
    for (const token of tokens) expect(token).toMatch(/^wxadm_[0-9A-Za-z_-]{43}$/);
    expect(new Set(tokens).size).toBe(100);
  });

  it('is stored as a SHA-256 that fits its column', () => {
    expect(hashToken('wxadm_x')).toMatch(/^[0-9a-f]{64}$/);
    expect(hashToken('wxadm_x')).not.toBe(hashToken('wxadm_y'));
  });

  it('has an id that fits its column and sorts by time', () => {
    expect(newTokenId(1_700_000_000_000)).toMatch(/^token-1700000000000-[0-9a-f]{12}$/);
    expect(newTokenId(1_700_000_000_001) > newTokenId(1_700_000_000_000)).toBe(true);
  });
});

describe('bearerToken', () => {
  const token = newToken();

  it('reads exactly one header with exactly one token', () => {
    expect(bearerToken([`Bearer ${token}`])).toBe(token);
    expect(bearerToken([`bearer  ${token}`])).toBe(token);
  });

  it.each([
    ['no header', []],
    ['an empty header', ['']],
    ['no scheme', [token]],
    ['another scheme', [`Basic ${token}`]],
    ['two headers', [`Bearer ${token}`, `Bearer ${token}`]],
    ['two tokens in one', [`Bearer ${token}, Bearer ${token}`]],
    ['something after it', [`Bearer ${token} x`]],
    ['a token cut short', [`Bearer ${token.slice(0, -1)}`]],
    ['a token of another kind', [`Bearer ${token.replace('wxadm_', 'wxpay_')}`]],
  ])('refuses %s', (_, headers) => {
    expect(bearerToken(headers)).toBeNull();
  });

  // Prevents a malformed token from being taken for no token, where a route has another guard beside this one.
  it('is meant by every header that says Bearer, well-formed or not', () => {
    for (const header of ['Bearer', 'bearer x', ' Bearer  y', `Bearer ${token}`, `Bearer,${token}`])
      expect(namesBearer(['Basic eDp5', header])).toBe(true);
    for (const header of ['', 'Basic eDp5', 'Bearers x', 'x Bearer y'])
      expect(namesBearer([header])).toBe(false);
    expect(namesBearer([])).toBe(false);
  });
});
