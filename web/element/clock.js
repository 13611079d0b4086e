// The passing of time while an element plays and somebody can see it.

/** How long the end is looked at before a loop begins anew, in milliseconds. */
const LOOK = 1500;

/** Calls `tick` with the milliseconds that passed, frame by frame, until it says that no more are wanted. */
export class Clock {
  #frame = 0;
  #rest = 0;

  get runs() { return this.#frame !== 0; }

  run(tick) {
    if (this.#frame) return;
    let last = null;
    const frame = (now) => {
      this.#frame = 0;
      const more = tick(last === null ? 0 : now - last);
      last = now;
      if (more && !this.#frame) this.#frame = requestAnimationFrame(frame);
    };
    this.#frame = requestAnimationFrame(frame);
  }

  /** Calls `again` after the end has been looked at. */
  rest(again) {
    this.#rest ||= setTimeout(() => {
      this.#rest = 0;
      again();
    }, LOOK);
  }

  /** Ends the rest, so that nothing begins anew. */
  wake() {
    clearTimeout(this.#rest);
    this.#rest = 0;
  }

  stop() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.wake();
  }
}
