import type { IncomingMessage } from 'node:http';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { RouteRow } from '../../contract/row.js';
import { FRAME_BYTES_MAX, routes } from '../../contract/wire.js';

const rawPaths = new Set(
  Object.values<RouteRow>(routes)
    .filter(({ hasRawBody }) => hasRawBody)
    .map(({ path }) => path),
);

/** Reads the bodies of routes with a raw body as they are, whatever their type: a signature is over the bytes. */
export function readRawBodies(app: NestExpressApplication): void {
  const isRaw = ({ url = '' }: IncomingMessage) => rawPaths.has(url.split('?', 1)[0] ?? '');
  app.useBodyParser('raw', { limit: FRAME_BYTES_MAX, type: isRaw });
}
