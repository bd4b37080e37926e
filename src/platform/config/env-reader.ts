export type Env = Readonly<Record<string, string | undefined>>;

/** Collects every bad variable before complaining, so that one start shows all there is to mend. */
export class EnvReader {
  readonly problems: string[] = [];

  constructor(private readonly env: Env) {}

  text(name: string, fallback?: string): string {
    const value = this.env[name]?.trim();
    if (value) return value;
    if (fallback === undefined) this.problems.push(`${name} is not set`);
    return fallback ?? '';
  }

  optionalText(name: string): string | undefined {
    return this.env[name]?.trim() || undefined;
  }

  /** Passwords are taken as they are: they may begin or end with a space, and may be empty. */
  verbatim(name: string): string {
    return this.env[name] ?? '';
  }

  integer(name: string, range: { fallback: number; min: number; max: number }): number {
    const value = this.env[name]?.trim();
    if (!value) return range.fallback;
    const number = /^\d{1,12}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= range.min && number <= range.max) return number;
    this.problems.push(`${name} must be a whole number from ${range.min} to ${range.max}`);
    return range.fallback;
  }

  oneOf<Choice extends string>(name: string, choices: readonly Choice[], fallback: Choice): Choice {
    const value = this.env[name]?.trim();
    if (!value) return fallback;
    const choice = choices.find((candidate) => candidate === value);
    if (choice) return choice;
    this.problems.push(`${name} must be one of ${choices.join(', ')}`);
    return fallback;
  }

  /** Reads with `parse`, which throws on a bad value; the value itself is not repeated, it may be a secret. */
  parsed<T>(name: string, fallback: string, parse: (text: string) => T): T {
    try {
      return parse(this.env[name]?.trim() || fallback);
    } catch (error) {
      this.problems.push(`${name} is not valid: ${(error as Error).message}`);
      return parse(fallback);
    }
  }
}
