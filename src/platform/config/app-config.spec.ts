import { describe, expect, it } from 'vitest';
import { loadConfig } from './app-config.js';

const GOOD = {
  DB_HOST: '127.0.0.1',
  DB_USER: 'shop',
  DB_NAME: 'shop',
  INTERNAL_API_SECRET: 'a-secret-of-this-test-only',
};

describe('loadConfig', () => {
  it('fills what may be left out', () => {
    const config = loadConfig(GOOD);
    expect(config.http.port).toBe(8080);
    expect(config.role).toBe('all');
    expect(config.fallbackPrices.premium.fen).toBe(2990);
    expect(config.internalSecrets).toEqual(['a-secret-of-this-test-only']);
  });

  it('names every bad variable in one message', () => {
    const broken = {
      ...GOOD,
      DB_HOST: '',
      PORT: '80a',
      ROLE: 'boss',
      INTERNAL_API_SECRET: 'short',
      FALLBACK_PRICE_BASIC: '0',
    };
    for (const name of ['DB_HOST', 'PORT', 'ROLE', 'INTERNAL_API_SECRET', 'FALLBACK_PRICE_BASIC']) {
      expect(() => loadConfig(broken)).toThrow(name);
    }
  });

  it('refuses a secret that is missing or printed in the documents, without repeating it', () => {
    expect(() => loadConfig({ ...GOOD, INTERNAL_API_SECRET: undefined })).toThrow(
      'INTERNAL_API_SECRET is not set',
    );
    expect(() => loadConfig({ ...GOOD, INTERNAL_API_SECRET: 'your_internal_secret_key_here' })).toThrow(
      'example',
    );
    expect(() => loadConfig({ ...GOOD, INTERNAL_API_SECRET: 'short-secret' })).not.toThrow('short-secret');
  });

  it('accepts a previous secret beside the current one during a rotation', () => {
    const config = loadConfig({ ...GOOD, INTERNAL_API_SECRET_PREVIOUS: 'the-secret-before-this-one' });
    expect(config.internalSecrets).toHaveLength(2);
  });
});
