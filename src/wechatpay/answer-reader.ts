import { isOutTradeNo } from '../shared/ids.js';
import type { OutTradeNo } from '../shared/ids.js';
import { Money } from '../shared/money.js';

/** RFC 3339 with a zone, as WeChat Pay writes times: `2026-01-27T10:00:00+08:00`. */
const TIME_PATTERN = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;
const TEXT_LENGTH_MAX = 2048;
/** Encrypted resources are a few kilobytes; the body they come in is bounded before it is read. */
const LONG_TEXT_LENGTH_MAX = 1_048_576;

/** Something WeChat Pay sent is not what its interface says. Names the field and what was expected, never the value. */
export class UnexpectedContent extends Error {
  constructor(field: string, expected: string) {
    super(`${field} is not ${expected}`);
    this.name = 'UnexpectedContent';
  }
}

/** Reads the fields of one JSON object and insists on their types. Empty text counts as absent, as it does at WeChat Pay. */
export class AnswerReader {
  private constructor(
    private readonly fields: Readonly<Record<string, unknown>>,
    private readonly path: string,
  ) {}

  /** @throws UnexpectedContent when the bytes are not a JSON object in UTF-8 */
  static ofJson(bytes: Buffer): AnswerReader {
    let parsed: unknown;
    try {
      parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    } catch {
      // A parser's message quotes the text, which may be personal.
      throw new UnexpectedContent('the body', 'JSON');
    }
    return AnswerReader.of(parsed, '');
  }

  private static of(value: unknown, path: string): AnswerReader {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new UnexpectedContent(path || 'the body', 'an object');
    }
    return new AnswerReader(value as Record<string, unknown>, path);
  }

  child(name: string): AnswerReader {
    return AnswerReader.of(this.own(name), this.pathOf(name));
  }

  optionalChild(name: string): AnswerReader | null {
    return this.isAbsent(name) ? null : this.child(name);
  }

  text(name: string): string {
    return this.boundedText(name, TEXT_LENGTH_MAX);
  }

  longText(name: string): string {
    return this.boundedText(name, LONG_TEXT_LENGTH_MAX);
  }

  optionalText(name: string): string | null {
    return this.isAbsent(name) ? null : this.text(name);
  }

  /** The text, which must be the one that was asked for, or that the configuration says. */
  same(name: string, expected: string): string {
    if (this.text(name) !== expected) throw this.unexpected(name, 'the expected one');
    return expected;
  }

  oneOf<Choice extends string>(name: string, choices: readonly Choice[]): Choice {
    const value = this.text(name);
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined) throw this.unexpected(name, `one of ${choices.join(', ')}`);
    return choice;
  }

  outTradeNo(name: string): OutTradeNo {
    const value = this.own(name);
    if (isOutTradeNo(value)) return value;
    throw this.unexpected(name, 'an order number');
  }

  money(name: string): Money {
    const fen = this.own(name);
    try {
      return Money.ofFen(fen as number);
    } catch {
      // Money refuses everything that is not a whole number in its range, texts and null included.
      throw this.unexpected(name, 'a whole number of fen');
    }
  }

  time(name: string): Date {
    const text = this.text(name);
    const time = new Date(text);
    if (TIME_PATTERN.test(text) && !Number.isNaN(time.getTime())) return time;
    throw this.unexpected(name, 'a time with its zone');
  }

  optionalTime(name: string): Date | null {
    return this.isAbsent(name) ? null : this.time(name);
  }

  unexpected(name: string, expected: string): UnexpectedContent {
    return new UnexpectedContent(this.pathOf(name), expected);
  }

  private boundedText(name: string, lengthMax: number): string {
    const value = this.own(name);
    if (typeof value === 'string' && value !== '' && value.length <= lengthMax) return value;
    throw this.unexpected(name, 'a text');
  }

  private isAbsent(name: string): boolean {
    const value = this.own(name);
    return value === undefined || value === null || value === '';
  }

  private own(name: string): unknown {
    return Object.hasOwn(this.fields, name) ? this.fields[name] : undefined;
  }

  private pathOf(name: string): string {
    return this.path ? `${this.path}.${name}` : name;
  }
}
