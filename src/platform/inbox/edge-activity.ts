import { Injectable } from '@nestjs/common';

/** Between two orders of a busy shop. */
const BUSY_FOR_MS = 100;

/** Whether somebody is ordering or paying at this moment, for those who can wait. */
@Injectable()
export class EdgeActivity {
  private notedAtMs = -Infinity;

  note(): void {
    this.notedAtMs = performance.now();
  }

  get isBusy(): boolean {
    return performance.now() - this.notedAtMs < BUSY_FOR_MS;
  }
}
