import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';

const dockerfile = readFileSync('Dockerfile', 'utf8');
const compose = readFileSync('docker-compose.yml', 'utf8');
const instructions = dockerfile.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

/** The YAML of one service. */
function service(name: string): string {
  const [, from = ''] = compose.split(new RegExp(`^  ${name}:$`, 'm'));
  const end = from.search(/^( {2})?\w[\w-]*:/m);
  return end === -1 ? from : from.slice(0, end);
}

const services = [...(compose.split(/^services:$/m)[1]?.split(/^\w/m)[0] ?? '').matchAll(/^ {2}([\w-]+):$/gm)].map(
  ([, name = '']) => name,
);

describe('the image', () => {
  const lastStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));

  test('separates the build stage from the runtime stage', () => {
    expect(dockerfile.match(/^FROM /gm)).toHaveLength(2);
    expect(lastStage).not.toMatch(/npm (ci|install|run)|apt-get/);
    expect(dockerfile).toMatch(/npm prune --omit=dev/);
  });

  test('pins its base image', () => {
    const bases = instructions.flatMap((line) => /^FROM (\S+)/.exec(line)?.[1] ?? []);
    for (const base of bases) expect(base).toMatch(/^node:\d+[\d.]*-\w+-slim$/);
    expect(new Set(bases).size).toBe(1);
  });

  test('runs as an unprivileged user that cannot modify the code', () => {
    const user = instructions.findIndex((line) => line.startsWith('USER '));
    expect(instructions[user]).toBe('USER node');
    expect(instructions.slice(user).filter((line) => /^(RUN|COPY|ADD)/.test(line))).toEqual([]);
    expect(instructions.filter((line) => /^(COPY|ADD).*--chown/.test(line))).toEqual([]);
    expect(lastStage).toMatch(/install --directory --owner=node --group=node --mode=700 \/data$/m);
  });

  test('runs the hub as the main process, so that it receives SIGTERM, without __proto__', () => {
    expect(instructions.at(-1)).toBe(
      'CMD ["node", "--disable-proto=delete", "--max-semi-space-size=64", "dist/main.js"]',
    );
    expect(instructions.filter((line) => line.startsWith('HEALTHCHECK'))).toHaveLength(1);
  });

  test('contains no secrets: the build context is an allowlist', () => {
    const lines = readFileSync('.dockerignore', 'utf8').split('\n');
    const rules = lines.filter((line) => line !== '' && !line.startsWith('#'));
    expect(rules[0]).toBe('*');
    const build = ['package.json', 'package-lock.json', 'tsconfig.json', 'scripts/build'];
    const sources = [...build, 'src', 'web'];
    expect(rules.slice(1).sort()).toEqual(sources.map((name) => `!${name}`).sort());
    expect(dockerfile).not.toMatch(/^(ARG|ENV).*(PASSWORD|SECRET|TOKEN|KEY)/im);
  });
});

describe('docker compose', () => {
  test('drops all capabilities, mounts the root read-only and prevents privilege escalation', () => {
    const hub = service('hub');
    expect(hub).toMatch(/^ {4}read_only: true$/m);
    expect(hub).toMatch(/^ {4}cap_drop: \[ALL\]$/m);
    expect(hub).toMatch(/^ {4}security_opt: \['no-new-privileges:true'\]$/m);
    expect(hub).toMatch(/^ {4}init: true$/m);
    expect(hub).not.toMatch(/cap_add|privileged|network_mode|pid:|docker\.sock|user: ['"]?root/);
  });

  test('exposes the hub, but neither its database nor its Redis', () => {
    expect(services).toEqual(expect.arrayContaining(['hub', 'mysql', 'redis']));
    for (const name of ['mysql', 'redis']) expect([name, service(name).match(/^ {4}ports:/m)]).toEqual([name, null]);
  });

  test('pins its images', () => {
    for (const [, image = ''] of compose.matchAll(/^ {4}image: (\S+)$/gm)) {
      expect(image).toMatch(/^[\w./-]+:v?\d+[\w.-]*$/);
    }
  });

  test('sets no known root password', () => {
    expect(service('mysql')).toMatch(/MYSQL_RANDOM_ROOT_PASSWORD: 'yes'/);
    expect(compose).not.toMatch(/MYSQL_ROOT_PASSWORD|mysql:\/\/root/);
  });
});
