import { untilExit } from './library.ts';

type Part = {
  /** Polite, and may take its time. */
  readonly stop: () => void | Promise<void>;
  /** Immediate, for somebody who presses Ctrl-C again. */
  readonly kill?: () => void;
};

/** What was started, to be ended in reverse: at the end of a lab, or of the script, whichever comes first. */
export class LabParts {
  private readonly parts: { readonly end: () => Promise<void>; readonly forget: () => void }[] = [];

  add({ stop, kill }: Part): void {
    let ending: Promise<void> | null = null;
    const end = () => (ending ??= (async () => stop())());
    this.parts.push({ end, forget: untilExit({ stop: end, kill: kill ?? (() => undefined) }) });
  }

  async endAll(): Promise<void> {
    for (let part = this.parts.pop(); part; part = this.parts.pop()) {
      await part.end();
      part.forget();
    }
  }
}
