/** What a reader that is only slow catches up with; more would be memory that the orders need. */
const WAITING_BYTES_MAX = 1024 * 1024;
/** Of one turn; more are written at once. */
const LINES_MAX = 64;

type Output = Pick<NodeJS.WriteStream, 'write' | 'on' | 'writableLength'>;

/**
 * Where log lines go. Nothing waits for the log: a line that its reader does not take, because it is slow, gone, or on a
 * full disk, is dropped and counted. Node writes to a pipe without blocking, and tries a broken output anew each time, so
 * that lines go on by themselves when there is space again.
 */
export class LogSink {
  private dropped = 0;
  private lines: string[] = [];

  constructor(private readonly output: Output) {
    // Each failed write is counted where it was made; without a listener the same error would end the process.
    output.on('error', () => undefined);
  }

  get linesDropped(): number {
    return this.dropped;
  }

  /** The lines of one turn of the event loop go out together: under load, a system call each would cost more than the rest of them. */
  write(line: string): void {
    if (this.output.writableLength > WAITING_BYTES_MAX) {
      this.dropped += 1;
      return;
    }
    this.lines.push(line);
    if (this.lines.length === 1) setImmediate(this.flush);
    else if (this.lines.length >= LINES_MAX) this.flush();
  }

  /** Hands over what waits, as before an end. */
  readonly flush = (): void => {
    const { lines } = this;
    if (lines.length === 0) return;
    this.lines = [];
    this.output.write(lines.join(''), (error) => {
      if (error) this.dropped += lines.length;
    });
  };
}

/** The one of this process. */
export const STANDARD_OUTPUT = new LogSink(process.stdout);
process.once('exit', STANDARD_OUTPUT.flush);
