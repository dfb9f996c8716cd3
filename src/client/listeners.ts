type Listener<Values extends unknown[]> = (...values: Values) => void;

/** Who wants to hear what. One listener that throws keeps nothing from the others. */
export class Listeners<Events extends { [Name in keyof Events]: unknown[] }> {
  private readonly byName: { [Name in keyof Events]?: Set<Listener<Events[Name]>> } = {};

  /** Gives what ends the listening. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    // Of its own, so that a function that listens twice is called twice, and ends each listening by itself.
    const own: Listener<Events[Name]> = (...values) => listener(...values);
    const listeners = this.byName[name] ?? new Set();
    this.byName[name] = listeners.add(own);
    return () => void listeners.delete(own);
  }

  /** Whether every listener has run to its end. What one throws is reported like every uncaught error. */
  tell<Name extends keyof Events>(name: Name, ...values: Events[Name]): boolean {
    const listeners = this.byName[name] ?? new Set();
    let allRan = true;
    for (const listener of [...listeners]) {
      // One may end the listening of another.
      if (!listeners.has(listener)) continue;
      try {
        listener(...values);
      } catch (error) {
        allRan = false;
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    return allRan;
  }

  /** Nobody hears anything any more. */
  dismiss(): void {
    for (const listeners of Object.values<Set<unknown> | undefined>(this.byName)) listeners?.clear();
  }
}
