import 'reflect-metadata';
import { describe, expect, it } from 'vitest';
import { Money } from '../../shared/money.js';
import { DtoPipe, ToleratesUnknownFields } from './dto.pipe.js';
import {
  amountView,
  BooleanField,
  ChoiceField,
  IntegerField,
  TextField,
  TimeField,
  YuanField,
} from './fields.js';

class Sample {
  count = 3;
}

class Tolerant {}

// Without the decorators' syntax, which test files are not compiled with.
const declare = (target: new () => object, fields: Record<string, PropertyDecorator>) => {
  for (const [name, decorate] of Object.entries(fields)) decorate(target.prototype as object, name);
};
declare(Sample, {
  name: TextField({ about: 'a name', lengthMax: 5, pattern: /^[a-z]+$/ }),
  colour: ChoiceField({ about: 'a colour', of: ['red', 'green'], optional: true }),
  count: IntegerField({ about: 'a number', min: 1, max: 9, fallback: 3 }),
  isNew: BooleanField({ about: 'yes or no', optional: true }),
  amount: YuanField({ about: 'an amount', optional: true }),
  from: TimeField({ about: 'a time', optional: true }),
  note: TextField({ about: 'a note', lengthMax: 5, optional: true, nullable: true }),
});
declare(Tolerant, { name: TextField({ about: 'a name', lengthMax: 5 }) });
ToleratesUnknownFields()(Tolerant);

const read = (value: object, type: 'body' | 'query' = 'body', metatype: new () => unknown = Sample) =>
  new DtoPipe().transform(value, { type, metatype });

describe('a DTO', () => {
  it('is made of what is known, with its fallbacks', async () => {
    expect(await read({ name: 'anna' })).toEqual({ name: 'anna', count: 3 });
    expect(
      await read({
        name: 'anna',
        colour: 'red',
        count: 9,
        isNew: false,
        amount: '29.90',
        from: '2026-01-27T08:00:00+08:00',
      }),
    ).toEqual({
      name: 'anna',
      colour: 'red',
      count: 9,
      isNew: false,
      amount: '29.90',
      from: new Date('2026-01-27T00:00:00Z'),
    });
  });

  it('reads numbers and booleans of an address from their text', async () => {
    expect(await read({ name: 'anna', count: '7', isNew: 'true' }, 'query')).toMatchObject({
      count: 7,
      isNew: true,
    });
  });

  // An operator's address line: a plus that is not escaped arrives as a space.
  it('takes a time whose plus was lost on the way', async () => {
    expect(await read({ name: 'anna', from: '2026-01-27T08:00:00 08:00' }, 'query')).toMatchObject({
      from: new Date('2026-01-27T00:00:00Z'),
    });
  });

  it.each([
    ['surname', { surname: 'x' }],
    ['name', { name: 5 }],
    ['name', { name: 'annaly' }],
    ['name', { name: 'ANNA' }],
    ['name', { name: null }],
    ['colour', { colour: 'blue' }],
    ['colour', { colour: null }],
    ['count', { count: 0 }],
    ['count', { count: 10 }],
    ['count', { count: 1.5 }],
    ['count', { count: '1e0' }],
    ['count', { count: ' 1' }],
    ['isNew', { isNew: 1 }],
    ['amount', { amount: 29.9 }],
    ['amount', { amount: '29.901' }],
    ['amount', { amount: '-1' }],
    ['amount', { amount: '1e3' }],
    ['amount', { amount: '029.90' }],
    ['from', { from: '2026-02-30T00:00:00Z' }],
    ['from', { from: '2026-01-27' }],
    ['from', { from: '2026-01-27T00:00:00' }],
    ['from', { from: 1_769_472_000_000 }],
    ['from', { from: '1969-12-31T23:59:59Z' }],
    ['from', { from: '0000-01-01T00:00:00+23:59' }],
    ['from', { from: '9999-01-01T00:00:00Z' }],
    ['from', { from: '9999-12-31T23:59:59-23:59' }],
  ])('names %s when it is not right: %j', async (field, changes) => {
    await expect(read({ name: 'anna', ...changes })).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining(field),
    });
  });

  // Prevents a 500: the columns count every character, and took no more than half of what was let through.
  it('counts the characters of a text as its column does', async () => {
    expect(await read({ name: 'anna', note: '😀😀😀😀😀' })).toMatchObject({ note: '😀😀😀😀😀' });
    await expect(read({ name: 'anna', note: '❤️❤️❤️' })).rejects.toThrow(
      'note must be text of 1 to 5 characters',
    );
  });

  // Prevents a 500: a document of the database takes no half of a character.
  it('refuses text with half a character', async () => {
    await expect(read({ name: 'anna', note: 'a\ud800' })).rejects.toThrow('note');
  });

  it('takes null where it clears something, and nowhere else', async () => {
    expect(await read({ name: 'anna', note: null })).toMatchObject({ note: null });
    expect(await read({ name: 'anna', note: 'x' })).toMatchObject({ note: 'x' });
    await expect(read({ name: 'anna', note: '' })).rejects.toThrow('note');
    await expect(read({ name: 'anna', colour: null })).rejects.toThrow('colour');
  });

  // The JSON parser refuses it in bodies; an address may carry it.
  it('drops __proto__ without any effect', async () => {
    const dto = await read(JSON.parse('{"name":"anna","__proto__":{"isAdmin":true}}') as object, 'query');
    expect(dto).toEqual({ name: 'anna', count: 3 });
    expect((dto as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it('has one value for each key of an address', async () => {
    await expect(read({ name: ['anna', 'bob'] }, 'query')).rejects.toThrow('name may stand');
  });

  it('lets unknown fields through only where that is declared', async () => {
    expect(await read({ name: 'anna', more: 1 }, 'body', Tolerant)).toMatchObject({ name: 'anna' });
    await expect(read({ more: 1 }, 'body', Tolerant)).rejects.toThrow('name');
  });
});

describe('an amount in an answer', () => {
  it('is whole fen, and yuan as text', () => {
    expect(amountView(Money.ofYuan('29.9'))).toEqual({ amountFen: 2990, amount: '29.90' });
  });
});
