import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ReadControl } from '../../src/platform/sockets/read.control.js';
import { until } from '../support/hub.js';

type EngineSocket = ConstructorParameters<typeof ReadControl>[0];

describe('a connection with paused reads', () => {
  const server = createServer();
  let serverSocket: Socket;
  let clientSocket: Socket;
  let received: string;
  let control: ReadControl;
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  beforeEach(async () => {
    clientSocket?.destroy();
    const { port } = server.address() as { port: number };
    const accepted = once(server, 'connection');
    clientSocket = connect(port, '127.0.0.1');
    [serverSocket] = (await accepted) as [Socket];
    received = '';
    serverSocket.on('data', (bytes) => {
      received += String(bytes);
    });
    // The shape of an Engine.IO socket before it is upgraded to a WebSocket.
    control = new ReadControl({ transport: {}, request: { socket: serverSocket } } as unknown as EngineSocket);
  });
  afterAll(() => {
    clientSocket.destroy();
    server.close();
  });

  const send = (text: string) => new Promise<void>((resolve) => clientSocket.write(text, () => resolve()));
  /** Long enough for sent data to arrive if it were read. */
  const settle = () => new Promise((resolve) => setTimeout(resolve, 100));

  test('resumes only after the last reason is cleared', async () => {
    expect(control.pause('refused')).toBe(true);
    expect(control.pause('behind')).toBe(true);
    await send('one');
    await settle();
    control.resume('refused');
    await settle();
    expect(received).toBe('');
    control.resume('behind');
    await until('reads resume', () => received === 'one');
  });

  test('counts each reason once, and ignores clearing one that is not set', async () => {
    expect([control.pause('refused'), control.pause('refused')]).toEqual([true, false]);
    control.resume('behind');
    await send('two');
    await settle();
    expect(received).toBe('');
    control.resume('refused');
    await until('reads resume', () => received === 'two');
    expect(control.pause('refused')).toBe(true);
    await send('three');
    await settle();
    expect(received).toBe('two');
  });

  test('resumes the paused socket even after an upgrade to a WebSocket', async () => {
    const engineSocket = { transport: {} as { socket?: Socket }, request: { socket: serverSocket } };
    const upgraded = new ReadControl(engineSocket as unknown as EngineSocket);
    upgraded.pause('behind');
    engineSocket.transport = { socket: clientSocket };
    await send('four');
    upgraded.resume('behind');
    await until('reads resume', () => received === 'four');
  });
});
