import { z } from 'zod';
import * as field from './fields.js';
import type { RouteRow } from './row.js';
import { type MessageName, messages } from './wire.js';

/** Routes for the tests of clients. A hub has them with `SANDBOX=on` only: they are no part of `routes`. */
export const ADVANCE_DAYS_MAX = 400;
export const FAULT_TIMES_MAX = 1_000;
export const DELAY_MS_MAX = 60_000;
export const DELAY_MS_DEFAULT = 1_000;
/** What is kept of what each user said and heard, and of how many users: the latest. */
export const TRANSCRIPT_ENTRIES_MAX = 1_000;
export const TRANSCRIPT_USERS_MAX = 1_000;

/** What can happen to a message on its way. */
export const faults = {
  'drop-ack': 'it takes effect, and its answer is lost',
  'cut-before': 'the connection is cut before the hub has read it',
  'cut-after-commit': 'it takes effect, and the connection is cut in place of the answer',
  twice: 'it arrives twice, and is answered once',
  delay: 'it arrives `ms` later, and with it what its socket sends meanwhile',
} as const;
export type FaultName = keyof typeof faults;

const messageNames = Object.keys(messages) as [MessageName, ...MessageName[]];
const faultNames = Object.keys(faults) as [FaultName, ...FaultName[]];

const moveClockRequest = z.strictObject({
  advanceMs: field
    .integer(0, ADVANCE_DAYS_MAX * 86_400_000)
    .meta({ description: 'How far to move the time on, in milliseconds.', examples: [900_000] }),
});
const movedClock = z.strictObject({ now: field.time.describe('The time of the hub.') });

const faultRequest = z.strictObject({
  userId: field.userId,
  message: z.enum(messageNames).meta({ description: 'The name of the message.', examples: ['order:pay'] }),
  do: z.enum(faultNames).meta({
    description: faultNames.map((name) => `\`${name}\`: ${faults[name]}`).join('; '),
    examples: ['drop-ack'],
  }),
  times: field
    .integer(1, FAULT_TIMES_MAX)
    .meta({ description: 'To how many messages, 1 by default.', examples: [1] })
    .optional(),
  ms: field
    .integer(0, DELAY_MS_MAX)
    .meta({ description: `How long a delay lasts, ${DELAY_MS_DEFAULT} by default.`, examples: [500] })
    .optional(),
});

const transcriptRequest = z.strictObject({ userId: field.userId });
const transcriptEntry = z.strictObject({
  at: field.time.describe('The time of the hub.'),
  way: z.enum(['socket', 'http']).meta({ examples: ['socket'] }),
  direction: z.enum(['said', 'heard']).meta({ description: 'By the client.', examples: ['said'] }),
  name: z.string().meta({ description: 'Of the message, the push or the route.', examples: ['order:pay'] }),
  data: z.unknown().meta({ description: 'Without passwords and tokens.', examples: [{ orderId: '0192f3a4' }] }),
  answer: z
    .unknown()
    .meta({
      description: 'Of what was said: the acknowledgement, or `{status, body}`. Missing where the client got none.',
      examples: [{ ok: true, data: {} }],
    })
    .optional(),
  fault: z
    .enum(faultNames)
    .meta({ description: 'What was done to the message.', examples: ['twice'] })
    .optional(),
});
const transcript = z.strictObject({ entries: z.array(transcriptEntry) });

export type MoveClockRequest = z.infer<typeof moveClockRequest>;
export type MovedClock = z.infer<typeof movedClock>;
export type FaultRequest = z.infer<typeof faultRequest>;
export type TranscriptRequest = z.infer<typeof transcriptRequest>;
export type TranscriptEntry = z.infer<typeof transcriptEntry>;
export type Transcript = z.infer<typeof transcript>;

const open = { isPublic: true, isProbe: true } as const;

export const sandboxRoutes = {
  moveClock: {
    summary: 'Moves the time on.',
    description:
      'From one moment at which something is due to the next: what happens on the way bears the time at which it happens. The answer follows once all of it is done and the sockets have received it. Sessions and API keys do not age.',
    method: 'POST',
    path: '/sandbox/clock',
    ...open,
    mayTakeLong: true,
    request: moveClockRequest,
    data: movedClock,
  },
  addFault: {
    summary: 'Does something to the next messages of a user.',
    description:
      'Of that name, over sockets, and over HTTP as requests of the same command. Several faults of one message follow each other.',
    method: 'POST',
    path: '/sandbox/faults',
    ...open,
    request: faultRequest,
    data: faultRequest,
  },
  reset: {
    summary: 'Empties the hub.',
    description:
      'Every row, everything in memory, the time and the faults: as a hub that has just begun on an empty database. Its sockets end.',
    method: 'POST',
    path: '/sandbox/reset',
    ...open,
    mayTakeLong: true,
    status: 204,
  },
  transcript: {
    summary: 'Shows what a user has said and heard, oldest first.',
    description: `The latest ${TRANSCRIPT_ENTRIES_MAX} entries of each user, kept in memory.`,
    method: 'GET',
    path: '/sandbox/transcript',
    ...open,
    request: transcriptRequest,
    data: transcript,
  },
} as const satisfies Record<string, RouteRow>;
