import { z } from 'zod';
import type { RouteRow } from './row.js';

/** Routes about the service itself: health, metrics and the API documents. */
const live = z.strictObject({ status: z.literal('live') });
const readiness = z.strictObject({
  status: z.enum(['ready', 'not ready']),
  database: z.enum(['up', 'down']),
  redis: z
    .enum(['up', 'down'])
    .meta({
      description:
        'Only if the hub uses Redis. The hub stays ready while it is down; other hubs then poll for changes, with a short delay.',
      examples: ['up'],
    })
    .optional(),
  clock: z
    .string()
    .meta({
      description:
        'Only if the clock of the hub’s machine is far from the database’s. The hub goes by the database’s, but is not ready.',
      examples: ['off by 7200 s'],
    })
    .optional(),
  draining: z.boolean().meta({ description: 'Whether the hub is shutting down.', examples: [false] }),
});
const document = z.looseObject({}).describe('The document.');
const text = z.string();

export const serviceRoutes = {
  live: {
    summary: 'Liveness: 200 while the process runs, whatever the state of its dependencies.',
    method: 'GET',
    path: '/health/live',
    isPublic: true,
    isProbe: true,
    data: live,
  },
  ready: {
    summary: 'Readiness: 200 if the hub can accept requests now, 503 if not.',
    method: 'GET',
    path: '/health/ready',
    isPublic: true,
    isProbe: true,
    data: readiness,
    notReady: readiness,
  },
  metrics: {
    summary: 'Metrics in the Prometheus text format.',
    method: 'GET',
    path: '/metrics',
    isPublic: true,
    isProbe: true,
    data: text,
    mediaType: 'text/plain',
  },
  openapi: {
    summary: 'The OpenAPI 3.1 document of the HTTP API.',
    method: 'GET',
    path: '/openapi.json',
    isPublic: true,
    data: document,
  },
  asyncapi: {
    summary: 'The AsyncAPI 3.0 document of the Socket.IO API.',
    method: 'GET',
    path: '/asyncapi.json',
    isPublic: true,
    data: document,
  },
  docs: {
    summary: 'Both documents as an HTML page.',
    method: 'GET',
    path: '/docs',
    isPublic: true,
    data: text,
    mediaType: 'text/html',
  },
} as const satisfies Record<string, RouteRow>;
