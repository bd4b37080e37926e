import type { Reporter, TestModule } from 'vitest/node';

/** Ends a run with the plain line that continuous integration reads: `Tests: N passed, N failed, N skipped`. */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state] += 1;
      // A file that does not load, or a hook that throws, is a failure and not silence.
      for (const part of [module, ...module.children.allSuites()])
        if (part.errors().length > 0) count.failed += 1;
    }
    console.log(
      `Tests: ${count.passed} passed, ${count.failed} failed, ${count.skipped + count.pending} skipped`,
    );
  }
}
