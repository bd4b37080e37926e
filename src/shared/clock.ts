/** The wall clock. Everything that needs the time asks it, so that a test can hold it still. */
export class Clock {
  now(): Date {
    return new Date();
  }

  nowMs(): number {
    return Date.now();
  }
}
