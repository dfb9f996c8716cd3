import { HubError } from '../../../src/client/connect.js';

/** What the hub says of one field. */
export function problemAt(error: unknown, path: string): string | undefined {
  if (!(error instanceof HubError) || error.code !== 'BAD_MESSAGE') return undefined;
  const faults = error.details as { path: string; problem: string }[];
  return faults.find((fault) => fault.path === path)?.problem;
}
