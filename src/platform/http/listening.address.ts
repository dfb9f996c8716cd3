import type { Server } from 'node:http';
import type { Config } from '../../config.js';

/** The address at which the server listens: with the port that it was given, if it asked for any. */
export function listeningAddress(server: Server, { host, port }: Pick<Config, 'host' | 'port'>): string {
  const address = server.address();
  const actualPort = typeof address === 'object' && address !== null ? address.port : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${actualPort}`;
}
