import type { ErrorCode } from '../../src/contract/errors.js';
import { connecting } from '../../src/contract/rooms.js';
import { FRAME_BYTES_MAX } from '../../src/contract/wire.js';
import { frame, upgradeHead } from '../support/raw.line.js';
import { rejectedSamples } from './catalogue.js';
import { fieldsOf } from './fields.table.js';
import { Attachment, CANARY, nested, toJson } from './values.js';

/**
 * The upgrade was refused; the WebSocket was cut afterwards; the handshake was admitted or refused with an error code; there was
 * no answer, because nothing was asked; or, where both are acceptable, an answer or a cut.
 */
export type Outcome = 'refused' | 'cut' | 'admitted' | 'answered or cut' | 'no answer' | ErrorCode;

export interface HandshakeCase {
  label: string;
  /** The bytes of the HTTP request. */
  head: string | Buffer;
  /** The bytes that follow once there is a WebSocket. */
  frames: Buffer[];
  expects: Outcome;
}

/** Valid and expired credentials for the cases. */
export interface Credentials {
  token: string;
  userId: string;
  /** Tokens of sessions ended by a logout, a password change and an unregistration. */
  ended: string[];
  /** The Engine.IO session id of another user. */
  sid: string;
  /** The hub's origin. */
  origin: string;
}

const PATH = '/socket.io/?EIO=4&transport=websocket';
const text = (...texts: string[]) => texts.map((each) => frame(each));
const connect = (auth: unknown) => text(`40${toJson(auth)}`);

export function handshakeCases(credentials: Credentials): HandshakeCase[] {
  const validAuth = connect({ token: credentials.token });
  return [
    ...requests(credentials).map(
      ([label, head, expects = 'refused']): HandshakeCase => ({ label, head, frames: validAuth, expects }),
    ),
    ...origins(credentials.origin).map(
      ([label, headers, expects = 'refused']): HandshakeCase => ({
        label,
        head: upgradeHead(PATH, headers),
        frames: validAuth,
        expects,
      }),
    ),
    ...[...packets(credentials), ...bytes(validAuth), ...tokens(credentials)].map(
      ([label, frames, expects = 'cut']): HandshakeCase => ({
        label,
        head: upgradeHead(PATH),
        frames,
        expects,
      }),
    ),
    ...lastCases(credentials),
    {
      label: 'a token in the query',
      head: upgradeHead(`${PATH}&token=${credentials.token}`),
      frames: [],
      expects: 'no answer',
    },
  ];
}

type RequestCase = [label: string, head: string | Buffer, expects?: Outcome];

/** HTTP and Engine.IO. */
function requests({ sid }: Credentials): RequestCase[] {
  const query = (label: string, search: string, expects?: Outcome): RequestCase => [
    label,
    upgradeHead(`/socket.io/?${search}`),
    expects,
  ];
  const plain = (method: string, path: string, headers = '', body = '') =>
    `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n${body}`;
  const polling = '/socket.io/?EIO=4&transport=polling';
  const header = (label: string, authFrame: string, value: string, expects?: Outcome): RequestCase => [
    label,
    upgradeHead(PATH, [[authFrame, value]], [authFrame]),
    expects,
  ];
  return [
    query('no version of the protocol', 'transport=websocket', 'cut'),
    query('version 2 of the protocol', 'EIO=2&transport=websocket', 'cut'),
    query('version 3 of the protocol', 'EIO=3&transport=websocket', 'cut'),
    query('version 99 of the protocol', 'EIO=99&transport=websocket', 'cut'),
    query('a list of versions', 'EIO[]=4&EIO=4&transport=websocket', 'admitted'),
    query('no transport', 'EIO=4'),
    query('the transport constructor', 'EIO=4&transport=constructor'),
    query('the transport __proto__', 'EIO=4&transport=__proto__'),
    query('two transports', 'EIO=4&transport=polling&transport=websocket', 'admitted'),
    query('an unsupported transport', 'EIO=4&transport=webtransport'),
    query('an unknown session id', `EIO=4&transport=websocket&sid=${CANARY}`),
    query('the session id __proto__', 'EIO=4&transport=websocket&sid=__proto__'),
    query("another user's session id", `EIO=4&transport=websocket&sid=${sid}`, 'answered or cut'),
    query('a session id of 8 KB', `EIO=4&transport=websocket&sid=${'s'.repeat(8_192)}`),
    query('a namespace in the query', `EIO=4&transport=websocket&nsp=/${CANARY}`, 'admitted'),
    ["another user's session id, to poll", plain('GET', `${polling}&sid=${sid}`)],
    ["another user's session id, to post", plain('POST', `${polling}&sid=${sid}`, 'Content-Length: 1\r\n', '1')],
    ['polling, posting first', plain('POST', polling, 'Content-Length: 2\r\n', '40')],
    ...['PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND'].map(
      (method): RequestCase => [`polling with ${method}`, plain(method, polling)],
    ),
    ['a WebSocket transport without an upgrade', plain('GET', PATH)],
    ['the client script', plain('GET', '/socket.io/socket.io.js')],
    ['a path with ..', upgradeHead('/socket.io/../?EIO=4&transport=websocket'), 'answered or cut'],
    ['a path with a double slash', upgradeHead('//socket.io/?EIO=4&transport=websocket')],
    ['another path', upgradeHead(`/${CANARY}/?EIO=4&transport=websocket`)],
    ['no path', upgradeHead('*')],
    ['a path of 16 KB', upgradeHead(`${PATH}&x=${'x'.repeat(16_384)}`)],
    [
      '2,500 headers',
      upgradeHead(
        PATH,
        Array.from({ length: 2_500 }, (): [string, string] => ['x', '']),
      ),
      'answered or cut',
    ],
    header('a header of a megabyte', 'X-Long', 'x'.repeat(1_048_576)),
    header('a line break in a header', 'X-Broken', `a\rb${CANARY}`),
    header('a header without a name', '', CANARY),
    header('a NUL in a header', 'X-Zero', `a\u0000${CANARY}`),
    ['no WebSocket key', upgradeHead(PATH, [], ['Sec-WebSocket-Key'])],
    header('an empty key', 'Sec-WebSocket-Key', ''),
    header('a key of 20 bytes', 'Sec-WebSocket-Key', Buffer.alloc(20).toString('base64')),
    ['two keys', upgradeHead(PATH, [['Sec-WebSocket-Key', 'AAAAAAAAAAAAAAAAAAAAAA==']])],
    ...['0', '7', '12', '14', '13x', '-13'].map((version) =>
      header(`version ${version} of WebSockets`, 'Sec-WebSocket-Version', version),
    ),
    header('a subprotocol of 10,000 spaces', 'Sec-WebSocket-Protocol', `b${' '.repeat(10_000)}x`, 'answered or cut'),
    header('a duplicate subprotocol', 'Sec-WebSocket-Protocol', 'a, a'),
    header('the extension constructor', 'Sec-WebSocket-Extensions', 'constructor', 'admitted'),
    header(
      '500 extensions',
      'Sec-WebSocket-Extensions',
      Array.from({ length: 500 }, () => 'permessage-deflate').join(', '),
      'admitted',
    ),
    header('a truncated extension', 'Sec-WebSocket-Extensions', 'permessage-deflate; ,;=', 'answered or cut'),
    ['two upgrades', upgradeHead(PATH, [['Upgrade', 'websocket']])],
    header('another upgrade', 'Upgrade', 'h2c'),
    ['HTTP/1.0', upgradeHead(PATH).replace('HTTP/1.1', 'HTTP/1.0'), 'answered or cut'],
    ['HTTP/3.0', upgradeHead(PATH).replace('HTTP/1.1', 'HTTP/3.0')],
    ['two content lengths', plain('POST', polling, 'Content-Length: 1\r\nContent-Length: 2\r\n', 'xx')],
    [
      'a content length and chunks',
      plain('POST', polling, 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    ],
    ['a negative content length', plain('POST', polling, 'Content-Length: -1\r\n')],
    ['a TLS client hello', Buffer.from('16030100c8010000c40303', 'hex')],
    ['noise', Buffer.from(Array.from({ length: 2_000 }, (_, index) => (index * 37) % 256))],
    ['an SMTP greeting', 'EHLO localhost\r\n\r\n'],
  ];
}

/** The `Origin` header. A foreign origin is refused, whatever its token. */
function origins(ownOrigin: string): [label: string, headers: [string, string][], expects?: Outcome][] {
  const from = (label: string, origin: string, expects?: Outcome): [string, [string, string][], Outcome?] => [
    label,
    [['Origin', origin]],
    expects,
  ];
  const host = new URL(ownOrigin).host;
  return [
    from('another site', 'https://evil.example'),
    from('an opaque origin', 'null'),
    from('an empty origin', ''),
    from('the own host as a prefix', `${ownOrigin}.evil.example`),
    from('the own host as a user name', `http://${host}@evil.example`),
    from('the own host with another port', `${ownOrigin.slice(0, -1)}`),
    from('another site, in upper case', 'HTTPS://EVIL.EXAMPLE'),
    from('a wildcard', '*'),
    from('not a URL', CANARY),
    [
      'two origins',
      [
        ['Origin', ownOrigin],
        ['Origin', 'https://evil.example'],
      ],
    ],
    [
      'a foreign origin with a matching X-Forwarded-Host',
      [
        ['Origin', 'https://evil.example'],
        ['X-Forwarded-Host', 'evil.example'],
      ],
    ],
    ['no origin', [], 'answered or cut'],
    [
      'a forged client address',
      [
        ['X-Forwarded-For', '127.0.0.1'],
        ['Forwarded', 'for=127.0.0.1'],
      ],
      'admitted',
    ],
  ];
}

type FrameCase = [label: string, frames: Buffer[], expects?: Outcome];

/** Packets of Engine.IO and Socket.IO. */
function packets({ token }: Credentials): FrameCase[] {
  const auth = JSON.stringify({ token });
  return [
    ['an event before anything else', text('421["order:list",{"role":"buyer"}]')],
    ['an acknowledgement before anything else', text('431[1]')],
    ['a disconnect before anything else', text('41')],
    ['two connects', text(`40${auth}`, `40${auth}`), 'admitted'],
    ['a string as auth', text('40"x"')],
    ['a list as auth', text('40[1]')],
    ['a number as auth', text('405'), 'UNAUTHENTICATED'],
    ['a truncated auth', text(`40${auth.slice(0, -1)}`)],
    ['no auth', text('40'), 'UNAUTHENTICATED'],
    ['auth in __proto__', text(`40{"__proto__":${auth}}`), 'UNAUTHENTICATED'],
    ['auth in constructor.prototype', text(`40{"constructor":{"prototype":${auth}}}`), 'UNAUTHENTICATED'],
    ['900 KB', text(`40{"token":"${'t'.repeat(900_000)}"}`)],
    ['one byte over the frame limit', text(`40${auth}`.padEnd(FRAME_BYTES_MAX + 1, ' '))],
    ['exactly the frame limit', text(`40${auth}`.padEnd(FRAME_BYTES_MAX, ' ')), 'admitted'],
    ['6,000 nested objects without a token', connect(nested(6_000, '{"a":', '}', '1')), 'UNAUTHENTICATED'],
    ['6,000 nested lists with the token', connect({ token, [CANARY]: nested(6_000) }), 'BAD_MESSAGE'],
    ['an unlisted field', connect({ token, room: CANARY }), 'BAD_MESSAGE'],
    ['an attachment as the token', connect({ token: new Attachment(Buffer.from('x')) }), 'UNAUTHENTICATED'],
    ['an unannounced attachment', [frame(Buffer.from(`40${auth}`))]],
    ['an event with 11 attachments', text('4511-["x"]')],
    ['text instead of an attachment', text('451-["x",{"_placeholder":true,"num":0}]', `40${auth}`)],
    ...['47', '49', '4x', '9', 'x', 'b!!!!'].map((packet): FrameCase => [`the packet ${packet}`, text(packet)]),
    ['an empty packet', text('4')],
    ['an empty frame', text('')],
    // Cut later, by the timeout for connections that never authenticate.
    ['an open packet', text('0{}'), 'no answer'],
    ['a close packet', text('1'), 'no answer'],
    ['a noop packet', text('6'), 'no answer'],
    ['a ping, which only the hub may send', text('2')],
  ];
}

/** Malformed WebSocket frames. */
function bytes(validAuth: Buffer[]): FrameCase[] {
  const [authFrame = Buffer.alloc(0)] = validAuth;
  const unmasked = Buffer.from(authFrame);
  unmasked[1] = (unmasked[1] ?? 0) & 0x7f;
  const payload = (label: string, content: Buffer, firstByte: number): FrameCase => [
    label,
    [frame(content, firstByte)],
  ];
  return [
    payload('invalid UTF-8', Buffer.from([0x34, 0x30, 0xc3, 0x28]), 0x81),
    payload('a lone surrogate', Buffer.from([0x34, 0x30, 0xed, 0xa0, 0x80]), 0x81),
    payload('an overlong NUL', Buffer.from([0x34, 0x30, 0xc0, 0x80]), 0x81),
    payload('a ping that is too long', Buffer.alloc(126), 0x89),
    payload('a fragmented ping', Buffer.alloc(1), 0x09),
    payload('a close frame of one byte', Buffer.alloc(1), 0x88),
    payload('a close frame with a reserved code', Buffer.from([0x03, 0xed]), 0x88),
    ...[0x83, 0x84, 0x87, 0x8b, 0x8f].map((first) => payload(`the opcode ${first & 0xf}`, Buffer.from('40'), first)),
    ...[0xc1, 0xa1, 0x91].map((first) => payload(`a reserved bit (${first.toString(16)})`, Buffer.from('40'), first)),
    payload('a compressed frame without negotiation', Buffer.alloc(10_000), 0xc1),
    payload('a continuation without a beginning', Buffer.from('40'), 0x80),
    ['a text frame inside a fragmented text', [frame('40', 0x01), frame('40')]],
    ['a frame without a mask', [unmasked]],
    ['a length of 2^64 - 1', [Buffer.from([0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])]],
    ['100,000 fragments of one byte', [frame('4', 0x01), ...Array.from({ length: 100_000 }, () => frame('x', 0x00))]],
    [
      'one fragment per byte',
      [
        frame('4', 0x01),
        ...[...authFrame.subarray(6).toString().slice(1)].slice(0, -1).map((letter) => frame(letter, 0x00)),
        frame('}', 0x80),
      ],
      'admitted',
    ],
  ];
}

function tokens({ token, userId, ended }: Credentials): FrameCase[] {
  const offered: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['zero', 0],
    ['a number', 1.5],
    ['true', true],
    ['an empty list', []],
    ['the token in a list', [token]],
    ['an object', {}],
    ['the token in an object', { token }],
    ['an operator of a query', { $ne: '' }],
    ['an empty string', ''],
    ['a space', ' '],
    ['the user id', userId],
    ['an SQL condition', "' OR '1'='1"],
    ['an SQL comment', `${token}'--`],
    ['a wildcard', '%'],
    ['the word null', 'null'],
    ['the prototype', '__proto__'],
    ['the token with a space', `${token} `],
    ['the token after a space', ` ${token}`],
    ['the token with a line break', `${token}\n`],
    ['the token with a NUL', `${token}\u0000`],
    ['the token with its scheme', `Bearer ${token}`],
    ['the token, shortened', token.slice(0, -1)],
    ['the token, lengthened', `${token}A`],
    ['the token in upper case', token.toUpperCase()],
    ['the token in lower case', token.toLowerCase()],
    ['the token three times, with dots', `${token}.${token}.${token}`],
    ['an unsigned JWT', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.'],
    ['60 KB', 't'.repeat(60_000)],
    ['a lone surrogate', '\ud800'],
    ...ended.map((old, index): [string, unknown] => [`an expired token (${index + 1})`, old]),
  ];
  return offered.map(([label, value]) => [`${label} as the token`, connect({ token: value }), 'UNAUTHENTICATED']);
}

/** The fields of `last`. */
function lastCases({ token }: Credentials): HandshakeCase[] {
  const { last } = connecting.request.shape;
  return fieldsOf(last, ['last']).flatMap((field) =>
    rejectedSamples({ ...field, required: false }, { token, last: {} }).flatMap(
      ({ label, value, message, at }): HandshakeCase[] =>
        // Attachments exist for events only.
        value instanceof Attachment
          ? []
          : [{ label: `${at}: ${label}`, head: upgradeHead(PATH), frames: connect(message), expects: 'BAD_MESSAGE' }],
    ),
  );
}
