// Waiting until something is heard, or for a while.

/** Wakes whoever waits, at once if it has rung before. */
export class Bell {
  private isRung = false;
  private wake = () => {};

  /** Rings when `signal` aborts, too. */
  constructor(signal?: AbortSignal) {
    signal?.addEventListener("abort", () => this.ring());
  }

  ring(): void {
    this.isRung = true;
    this.wake();
  }

  async rung(mostMs: number): Promise<void> {
    if (!this.isRung) {
      await new Promise<void>((done) => {
        const timer = setTimeout(done, mostMs);
        this.wake = () => (clearTimeout(timer), done());
      });
    }
    this.isRung = false;
  }
}
