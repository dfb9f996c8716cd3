import { useEffect, useState } from 'react';

const CHUNK = 100;

/**
 * How many of `total` items to render: one chunk at once, then chunk by chunk until all are there, so that a long list does
 * not block the page. The browser skips the layout of items off the screen (`content-visibility`).
 */
export function useGradualCount(total: number): number {
  const [count, setCount] = useState(CHUNK);
  const isPartial = count < total;
  useEffect(() => {
    if (!isPartial) return;
    const timer = setTimeout(() => setCount(count + CHUNK));
    return () => clearTimeout(timer);
  }, [count, isPartial]);
  return Math.min(count, total);
}
