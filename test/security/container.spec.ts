import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

const dockerfile = readFileSync('Dockerfile', 'utf8');
const text = readFileSync('docker-compose.yml', 'utf8');
const { services } = parse(text, { merge: true }) as { services: Record<string, Service> };
const instructions = dockerfile.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

interface Service {
  image?: string;
  ports?: string[];
  environment?: Record<string, string>;
  volumes?: string[];
  [option: string]: unknown;
}

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
  const hubs = ['hub', 'hub1', 'hub2', 'hub3'];

  test.each(hubs)(
    'drops all capabilities of %s, mounts its root read-only and prevents privilege escalation',
    (name) => {
      const hub = services[name];
      expect(hub).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        init: true,
      });
      for (const option of ['cap_add', 'privileged', 'network_mode', 'pid', 'user'])
        expect(hub).not.toHaveProperty(option);
      expect(JSON.stringify(hub)).not.toContain('docker.sock');
    },
  );

  test('exposes the hub, but neither its database nor its Redis', () => {
    expect(services.hub?.ports).toEqual(['3000:3000']);
    for (const name of ['mysql', 'redis', 'backup']) expect([name, services[name]?.ports]).toEqual([name, undefined]);
  });

  test('lets only the balancer reach the hubs that believe what it forwards', () => {
    const believing = Object.keys(services).filter((name) => services[name]?.environment?.TRUST_PROXY === 'true');
    expect(believing).toEqual(hubs.slice(1));
    for (const name of believing) expect(services[name]?.ports).toEqual([]);
    expect(services.balancer?.volumes).toEqual(['./ops/balancers/nginx.conf:/etc/nginx/nginx.conf:ro']);
  });

  test('pins its images', () => {
    for (const { image, build } of Object.values(services)) {
      if (build === undefined) expect(image).toMatch(/^[\w./-]+:v?\d+[\w.-]*$/);
    }
  });

  test('sets no known root password', () => {
    expect(services.mysql?.environment?.MYSQL_RANDOM_ROOT_PASSWORD).toBe('yes');
    expect(text).not.toMatch(/MYSQL_ROOT_PASSWORD|mysql:\/\/root/);
  });
});
