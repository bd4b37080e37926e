/** What a reader that is only slow catches up with; more would be memory that the orders need. */
const WAITING_BYTES_MAX = 1024 * 1024;

type Output = Pick<NodeJS.WriteStream, 'write' | 'on' | 'writableLength'>;

/**
 * Where log lines go. Nothing waits for the log: a line that its reader does not take, because it is slow, gone, or on a
 * full disk, is dropped and counted. Node writes to a pipe without blocking, and tries a broken output anew each time, so
 * that lines go on by themselves when there is space again.
 */
export class LogSink {
  private dropped = 0;

  constructor(private readonly output: Output) {
    // Each failed write is counted where it was made; without a listener the same error would end the process.
    output.on('error', () => undefined);
  }

  get linesDropped(): number {
    return this.dropped;
  }

  write(line: string): void {
    if (this.output.writableLength > WAITING_BYTES_MAX) {
      this.dropped += 1;
      return;
    }
    this.output.write(line, this.noteFailure);
  }

  private readonly noteFailure = (error?: Error | null): void => {
    if (error) this.dropped += 1;
  };
}

/** The one of this process. */
export const STANDARD_OUTPUT = new LogSink(process.stdout);
