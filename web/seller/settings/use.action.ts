import { useState } from 'react';

interface Action {
  isBusy: boolean;
  error: unknown;
  /** Resolves with whether it succeeded. */
  run: (act: () => Promise<unknown>) => Promise<boolean>;
}

/** What a form or a button does, one at a time, and its last error. */
export function useAction(): Action {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const run = async (act: () => Promise<unknown>) => {
    setBusy(true);
    setError(undefined);
    try {
      await act();
      return true;
    } catch (thrown) {
      setError(thrown);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, error, run };
}
