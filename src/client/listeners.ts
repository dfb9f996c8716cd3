type Listener<Values extends unknown[]> = (...values: Values) => void;

/** Event listeners by event name. A listener that throws does not keep the event from the others. */
export class Listeners<Events extends { [Name in keyof Events]: unknown[] }> {
  private readonly byName: { [Name in keyof Events]?: Set<Listener<Events[Name]>> } = {};

  /** Adds a listener and returns the function that removes it. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    // Wrapped, so that a function added twice is called twice and each registration is removed separately.
    const registration: Listener<Events[Name]> = (...values) => listener(...values);
    const registrations = this.byName[name] ?? new Set();
    this.byName[name] = registrations.add(registration);
    return () => void registrations.delete(registration);
  }

  /** Returns whether every listener completed. An error that one throws is reported as an uncaught error. */
  emit<Name extends keyof Events>(name: Name, ...values: Events[Name]): boolean {
    const registrations = this.byName[name] ?? new Set();
    let allCompleted = true;
    for (const registration of [...registrations]) {
      // An earlier listener may have removed this one.
      if (!registrations.has(registration)) continue;
      try {
        registration(...values);
      } catch (error) {
        allCompleted = false;
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    return allCompleted;
  }

  /** Removes every listener. */
  clear(): void {
    for (const registrations of Object.values<Set<unknown> | undefined>(this.byName)) registrations?.clear();
  }
}
