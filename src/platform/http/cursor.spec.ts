import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CursorCodec } from './cursor.js';

const codec = new CursorCodec('orders', { at: 'time', id: 'key' });
const POSITION = { at: '2026-01-27T00:00:00.000Z', id: 'order-1706345678901-abc123' };
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a cursor', () => {
  it('comes back as the position it was made of, and none begins at the start', () => {
    expect(codec.decode(codec.encode(POSITION))).toEqual(POSITION);
    expect(codec.encode(POSITION)).toMatch(/^[0-9A-Za-z_-]+$/);
    expect(codec.decode(undefined)).toBeNull();
  });

  it.each([
    ['empty', ''],
    ['no base64url', '!!!'],
    ['no JSON', Buffer.from('{').toString('base64url')],
    ['no list', encoded({ at: POSITION.at, id: POSITION.id })],
    ['of another listing', new CursorCodec('users', { at: 'time', id: 'key' }).encode(POSITION)],
    ['too short', encoded(['orders', POSITION.at])],
    ['too long', encoded(['orders', POSITION.at, POSITION.id, 'x'])],
    ['not text', encoded(['orders', POSITION.at, { toString: 'x' }])],
    ['no key', encoded(['orders', POSITION.at, "1' OR '1'='1"])],
    ['no time', encoded(['orders', '2026-99-99T00:00:00.000Z', POSITION.id])],
    ['padded', `${codec.encode(POSITION)}=`],
    ['with a space', ` ${codec.encode(POSITION)}`],
  ])('is refused by its name when it is %s', (_, cursor) => {
    expect(() => codec.decode(cursor)).toThrow('cursor');
  });

  // Prevents a 500, or a page that begins nowhere, for whatever somebody types.
  it('is its own position or a refusal, whatever is sent', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          const position = codec.decode(text);
          return position !== null && codec.encode(position) === text;
        } catch (error) {
          return (error as Error).message.startsWith('cursor');
        }
      }),
    );
  });
});
