import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Reading } from '../../src/platform/reading.js';
import { until } from '../support/hub.js';

type Line = ConstructorParameters<typeof Reading>[0];

describe('a line that is not read from', () => {
  const server = createServer();
  let near: Socket;
  let far: Socket;
  let heard: string;
  let reading: Reading;
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  beforeEach(async () => {
    far?.destroy();
    const { port } = server.address() as { port: number };
    const accepted = once(server, 'connection');
    far = connect(port, '127.0.0.1');
    [near] = (await accepted) as [Socket];
    heard = '';
    near.on('data', (bytes) => {
      heard += String(bytes);
    });
    // What Engine.IO's line leads to, before and after it has a WebSocket.
    reading = new Reading({ transport: {}, request: { socket: near } } as unknown as Line);
  });
  afterAll(() => {
    far.destroy();
    server.close();
  });

  const say = (text: string) => new Promise<void>((resolve) => far.write(text, () => resolve()));
  /** What was sent has been at the other end long ago, were it read there. */
  const aMoment = () => new Promise((resolve) => setTimeout(resolve, 100));

  test('is read from again when the last reason is gone, and not before', async () => {
    expect(reading.stop('refused')).toBe(true);
    expect(reading.stop('behind')).toBe(true);
    await say('one');
    await aMoment();
    reading.goOn('refused');
    await aMoment();
    expect(heard).toBe('');
    reading.goOn('behind');
    await until('it is read from', () => heard === 'one');
  });

  test('has a reason once, however often it is given, and none that nobody gave', async () => {
    expect([reading.stop('refused'), reading.stop('refused')]).toEqual([true, false]);
    reading.goOn('behind');
    await say('two');
    await aMoment();
    expect(heard).toBe('');
    reading.goOn('refused');
    await until('it is read from', () => heard === 'two');
    expect(reading.stop('refused')).toBe(true);
    await say('three');
    await aMoment();
    expect(heard).toBe('two');
  });

  test('is read from again where it was stopped, though it has a WebSocket since', async () => {
    const line = { transport: {} as { socket?: Socket }, request: { socket: near } };
    const moved = new Reading(line as unknown as Line);
    moved.stop('behind');
    line.transport = { socket: far };
    await say('four');
    moved.goOn('behind');
    await until('it is read from', () => heard === 'four');
  });
});
