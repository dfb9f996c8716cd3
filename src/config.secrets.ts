import { readFileSync } from 'node:fs';

type Environment = Record<string, string | undefined>;

/** Variables that hold a secret, or a URL with one. */
const secrets = [
  'DATABASE_URL',
  'REDIS_URL',
  'OPERATOR_KEY',
  'STRIPE_SECRET_KEY',
  'STRIPE_WEBHOOK_SECRET',
  'ADMIN_PASSWORD',
  'VAPID_PRIVATE_KEY',
];

/**
 * The environment with the secrets that files hold, as container platforms mount them: the content of the file at `NAME_FILE`, without
 * the line break at its end, is the value of `NAME`. What cannot be used is one line each in `problems`, which repeats no secret.
 */
export function withSecretFiles(environment: Environment): { environment: Environment; problems: string[] } {
  const read: Environment = { ...environment };
  const problems: string[] = [];
  for (const name of secrets) {
    const variable = `${name}_FILE`;
    const path = environment[variable];
    if (!path) continue;
    if (environment[name]) {
      problems.push(`${variable}: ${name} is set too: set one of them`);
      continue;
    }
    try {
      const value = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
      if (value === '') throw new Error('it is empty');
      read[name] = value;
    } catch (error) {
      problems.push(`${variable}: ${path} cannot be used: ${(error as Error).message}`);
    }
  }
  return { environment: read, problems };
}
