import { z } from 'zod';
import type { RouteRow } from './row.js';

/** What is asked of the service itself, by those who run it and by those who want to learn how to speak to it. */
const live = z.strictObject({ status: z.literal('live') });
const readiness = z.strictObject({
  status: z.enum(['ready', 'not ready']),
  database: z.enum(['up', 'down']),
  redis: z
    .enum(['up', 'down'])
    .meta({
      description:
        'Told when the hub uses one. While it is down the hub is ready: others hear of changes a little later.',
      examples: ['up'],
    })
    .optional(),
  draining: z.boolean().meta({ description: 'Whether the hub is shutting down.', examples: [false] }),
});
const document = z.looseObject({}).describe('The document.');
const text = z.string();

export const serviceRoutes = {
  live: {
    says: 'The process runs; restarting it would mend nothing.',
    method: 'GET',
    path: '/health/live',
    open: true,
    probe: true,
    data: live,
  },
  ready: {
    says: 'Whether the hub can take messages now: 200 if it can, 503 if not.',
    method: 'GET',
    path: '/health/ready',
    open: true,
    probe: true,
    data: readiness,
    unready: readiness,
  },
  metrics: {
    says: 'Counters and times, for Prometheus.',
    method: 'GET',
    path: '/metrics',
    open: true,
    probe: true,
    data: text,
    mediaType: 'text/plain',
  },
  openapi: {
    says: 'What may be said over HTTP, as an OpenAPI 3.1 document.',
    method: 'GET',
    path: '/openapi.json',
    open: true,
    data: document,
  },
  asyncapi: {
    says: 'What may be said over Socket.IO, as an AsyncAPI 3.0 document.',
    method: 'GET',
    path: '/asyncapi.json',
    open: true,
    data: document,
  },
  docs: {
    says: 'Both documents, as a page to read.',
    method: 'GET',
    path: '/docs',
    open: true,
    data: text,
    mediaType: 'text/html',
  },
} as const satisfies Record<string, RouteRow>;
