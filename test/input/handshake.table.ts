import type { RefusalCode } from '../../src/contract/errors.js';
import { connecting } from '../../src/contract/rooms.js';
import { FRAME_BYTES_MAX } from '../../src/contract/wire.js';
import { frame, upgradeHead } from '../support/raw.line.js';
import { refusedOffers } from './catalogue.js';
import { fieldsOf } from './fields.table.js';
import { Attachment, CANARY, nested, written } from './values.js';

/**
 * What became of it: no WebSocket was given (`refused`), the line was cut after it was, a refusal of the contract, a place in
 * the hub (`admitted`); `silence`, where nothing was asked; or, where it is all the same what, an answer or an end (`over`).
 */
export type Outcome = 'refused' | 'cut' | 'admitted' | 'over' | 'silence' | RefusalCode;

export interface Knock {
  says: string;
  /** The bytes of the HTTP request. */
  head: string | Buffer;
  /** The bytes that follow once there is a WebSocket. */
  frames: Buffer[];
  expects: Outcome;
}

/** Whom the knocks may use: a token that is good, and some that were. */
export interface Keys {
  token: string;
  userId: string;
  /** Of sessions that were ended by logging out, by another password, and by leaving. */
  ended: string[];
  /** The id of somebody else's line. */
  sid: string;
  /** The address of the hub, as browsers write it. */
  origin: string;
}

const PATH = '/socket.io/?EIO=4&transport=websocket';
const text = (...texts: string[]) => texts.map((each) => frame(each));
const connect = (auth: unknown) => text(`40${written(auth)}`);

export function knocksOf(keys: Keys): Knock[] {
  const good = connect({ token: keys.token });
  return [
    ...requests(keys).map(([says, head, expects = 'refused']): Knock => ({ says, head, frames: good, expects })),
    ...origins(keys.origin).map(
      ([says, headers, expects = 'refused']): Knock => ({
        says,
        head: upgradeHead(PATH, headers),
        frames: good,
        expects,
      }),
    ),
    ...[...packets(keys), ...bytes(good), ...tokens(keys)].map(
      ([says, frames, expects = 'cut']): Knock => ({
        says,
        head: upgradeHead(PATH),
        frames,
        expects,
      }),
    ),
    ...lasts(keys),
    {
      says: 'a token in the address',
      head: upgradeHead(`${PATH}&token=${keys.token}`),
      frames: [],
      expects: 'silence',
    },
  ];
}

type Request = [says: string, head: string | Buffer, expects?: Outcome];

/** HTTP and Engine.IO. */
function requests({ sid }: Keys): Request[] {
  const query = (says: string, search: string, expects?: Outcome): Request => [
    says,
    upgradeHead(`/socket.io/?${search}`),
    expects,
  ];
  const plain = (method: string, path: string, headers = '', body = '') =>
    `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n${body}`;
  const polling = '/socket.io/?EIO=4&transport=polling';
  const header = (says: string, name: string, value: string, expects?: Outcome): Request => [
    says,
    upgradeHead(PATH, [[name, value]], [name]),
    expects,
  ];
  return [
    query('no version of the protocol', 'transport=websocket', 'cut'),
    query('version 2 of the protocol', 'EIO=2&transport=websocket', 'cut'),
    query('version 3 of the protocol', 'EIO=3&transport=websocket', 'cut'),
    query('version 99 of the protocol', 'EIO=99&transport=websocket', 'cut'),
    query('a list of versions', 'EIO[]=4&EIO=4&transport=websocket', 'admitted'),
    query('no transport', 'EIO=4'),
    query('the constructor as transport', 'EIO=4&transport=constructor'),
    query('the prototype as transport', 'EIO=4&transport=__proto__'),
    query('two transports', 'EIO=4&transport=polling&transport=websocket', 'admitted'),
    query('a transport that is not served', 'EIO=4&transport=webtransport'),
    query('a line that there is not', `EIO=4&transport=websocket&sid=${CANARY}`),
    query('the prototype as a line', 'EIO=4&transport=websocket&sid=__proto__'),
    query("somebody else's line", `EIO=4&transport=websocket&sid=${sid}`, 'over'),
    query('8 KB as the line', `EIO=4&transport=websocket&sid=${'s'.repeat(8_192)}`),
    query('a namespace in the query', `EIO=4&transport=websocket&nsp=/${CANARY}`, 'admitted'),
    ["somebody else's line, to listen", plain('GET', `${polling}&sid=${sid}`)],
    ["somebody else's line, to speak", plain('POST', `${polling}&sid=${sid}`, 'Content-Length: 1\r\n', '1')],
    ['polling, posting first', plain('POST', polling, 'Content-Length: 2\r\n', '40')],
    ...['PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND'].map(
      (method): Request => [`polling with ${method}`, plain(method, polling)],
    ),
    ['a WebSocket that was not asked for', plain('GET', PATH)],
    ['the script of the client', plain('GET', '/socket.io/socket.io.js')],
    ['a path above', upgradeHead('/socket.io/../?EIO=4&transport=websocket'), 'over'],
    ['a path with two strokes', upgradeHead('//socket.io/?EIO=4&transport=websocket')],
    ['another path', upgradeHead(`/${CANARY}/?EIO=4&transport=websocket`)],
    ['no path', upgradeHead('*')],
    ['a path of 16 KB', upgradeHead(`${PATH}&x=${'x'.repeat(16_384)}`)],
    [
      '2,500 headers',
      upgradeHead(
        PATH,
        Array.from({ length: 2_500 }, (): [string, string] => ['x', '']),
      ),
      'over',
    ],
    header('a header of a megabyte', 'X-Long', 'x'.repeat(1_048_576)),
    header('a line break in a header', 'X-Broken', `a\rb${CANARY}`),
    header('a header without a name', '', CANARY),
    header('a zero in a header', 'X-Zero', `a\u0000${CANARY}`),
    ['no key of the WebSocket', upgradeHead(PATH, [], ['Sec-WebSocket-Key'])],
    header('an empty key', 'Sec-WebSocket-Key', ''),
    header('a key of 20 bytes', 'Sec-WebSocket-Key', Buffer.alloc(20).toString('base64')),
    ['two keys', upgradeHead(PATH, [['Sec-WebSocket-Key', 'AAAAAAAAAAAAAAAAAAAAAA==']])],
    ...['0', '7', '12', '14', '13x', '-13'].map((version) =>
      header(`version ${version} of WebSockets`, 'Sec-WebSocket-Version', version),
    ),
    header('a protocol of 10,000 spaces', 'Sec-WebSocket-Protocol', `b${' '.repeat(10_000)}x`, 'over'),
    header('a protocol twice', 'Sec-WebSocket-Protocol', 'a, a'),
    header('the constructor as an extension', 'Sec-WebSocket-Extensions', 'constructor', 'admitted'),
    header(
      '500 extensions',
      'Sec-WebSocket-Extensions',
      Array.from({ length: 500 }, () => 'permessage-deflate').join(', '),
      'admitted',
    ),
    header('an extension that breaks off', 'Sec-WebSocket-Extensions', 'permessage-deflate; ,;=', 'over'),
    ['two upgrades', upgradeHead(PATH, [['Upgrade', 'websocket']])],
    header('another upgrade', 'Upgrade', 'h2c'),
    ['HTTP/1.0', upgradeHead(PATH).replace('HTTP/1.1', 'HTTP/1.0'), 'over'],
    ['HTTP/3.0', upgradeHead(PATH).replace('HTTP/1.1', 'HTTP/3.0')],
    ['two lengths', plain('POST', polling, 'Content-Length: 1\r\nContent-Length: 2\r\n', 'xx')],
    ['a length and chunks', plain('POST', polling, 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')],
    ['a length below zero', plain('POST', polling, 'Content-Length: -1\r\n')],
    ['the first words of TLS', Buffer.from('16030100c8010000c40303', 'hex')],
    ['noise', Buffer.from(Array.from({ length: 2_000 }, (_, index) => (index * 37) % 256))],
    ['the words of another protocol', 'EHLO localhost\r\n\r\n'],
  ];
}

/** Where it comes from. A page of another site is kept out whatever token it bears. */
function origins(own: string): [says: string, headers: [string, string][], expects?: Outcome][] {
  const from = (says: string, origin: string, expects?: Outcome): [string, [string, string][], Outcome?] => [
    says,
    [['Origin', origin]],
    expects,
  ];
  const host = new URL(own).host;
  return [
    from('another site', 'https://evil.example'),
    from('a page without an origin', 'null'),
    from('an origin that is empty', ''),
    from('the own host as the beginning of another', `${own}.evil.example`),
    from('the own host as the name of a user', `http://${host}@evil.example`),
    from('the own host at another port', `${own.slice(0, -1)}`),
    from('another site, in capitals', 'HTTPS://EVIL.EXAMPLE'),
    from('a wildcard', '*'),
    from('no address at all', CANARY),
    [
      'two origins',
      [
        ['Origin', own],
        ['Origin', 'https://evil.example'],
      ],
    ],
    [
      'an origin that vouches for itself',
      [
        ['Origin', 'https://evil.example'],
        ['X-Forwarded-Host', 'evil.example'],
      ],
    ],
    ['no origin', [], 'over'],
    [
      'an address that is made up',
      [
        ['X-Forwarded-For', '127.0.0.1'],
        ['Forwarded', 'for=127.0.0.1'],
      ],
      'admitted',
    ],
  ];
}

type Spoken = [says: string, frames: Buffer[], expects?: Outcome];

/** Packets of Engine.IO and Socket.IO. */
function packets({ token }: Keys): Spoken[] {
  const auth = JSON.stringify({ token });
  return [
    ['an event before anything else', text('421["order:list",{"role":"buyer"}]')],
    ['an acknowledgement before anything else', text('431[1]')],
    ['a goodbye before anything else', text('41')],
    ['a name twice', text(`40${auth}`, `40${auth}`), 'admitted'],
    ['a text as the name', text('40"x"')],
    ['a list as the name', text('40[1]')],
    ['a number as the name', text('405'), 'UNAUTHENTICATED'],
    ['a name that breaks off', text(`40${auth.slice(0, -1)}`)],
    ['no name', text('40'), 'UNAUTHENTICATED'],
    ['the prototype as the name', text(`40{"__proto__":${auth}}`), 'UNAUTHENTICATED'],
    ['the constructor as the name', text(`40{"constructor":{"prototype":${auth}}}`), 'UNAUTHENTICATED'],
    ['900 KB', text(`40{"token":"${'t'.repeat(900_000)}"}`)],
    ['a byte more than a frame may have', text(`40${auth}`.padEnd(FRAME_BYTES_MAX + 1, ' '))],
    ['as many bytes as a frame may have', text(`40${auth}`.padEnd(FRAME_BYTES_MAX, ' ')), 'admitted'],
    ['6,000 lists and no token', connect(nested(6_000, '{"a":', '}', '1')), 'UNAUTHENTICATED'],
    ['6,000 lists beside the token', connect({ token, [CANARY]: nested(6_000) }), 'BAD_MESSAGE'],
    ['a field that is not listed', connect({ token, room: CANARY }), 'BAD_MESSAGE'],
    ['bytes as the token', connect({ token: new Attachment(Buffer.from('x')) }), 'UNAUTHENTICATED'],
    ['bytes that were not announced', [frame(Buffer.from(`40${auth}`))]],
    ['an event with 11 attachments', text('4511-["x"]')],
    ['text where bytes are due', text('451-["x",{"_placeholder":true,"num":0}]', `40${auth}`)],
    ...['47', '49', '4x', '9', 'x', 'b!!!!'].map((packet): Spoken => [`the packet ${packet}`, text(packet)]),
    ['a packet of nothing', text('4')],
    ['an empty frame', text('')],
    // Whoever says no more than that is shown out, as whoever says nothing is.
    ['a second opening', text('0{}'), 'silence'],
    ['a close', text('1'), 'silence'],
    ['a packet for nobody', text('6'), 'silence'],
    ['a ping, which is for the hub to send', text('2')],
  ];
}

/** Frames of WebSockets, byte by byte. */
function bytes(good: Buffer[]): Spoken[] {
  const [name = Buffer.alloc(0)] = good;
  const unmasked = Buffer.from(name);
  unmasked[1] = (unmasked[1] ?? 0) & 0x7f;
  const payload = (says: string, content: Buffer, firstByte: number): Spoken => [says, [frame(content, firstByte)]];
  return [
    payload('bytes that are no UTF-8', Buffer.from([0x34, 0x30, 0xc3, 0x28]), 0x81),
    payload('half of a character', Buffer.from([0x34, 0x30, 0xed, 0xa0, 0x80]), 0x81),
    payload('a zero in a longer coat', Buffer.from([0x34, 0x30, 0xc0, 0x80]), 0x81),
    payload('a ping that is too long', Buffer.alloc(126), 0x89),
    payload('a ping in pieces', Buffer.alloc(1), 0x09),
    payload('a goodbye of one byte', Buffer.alloc(1), 0x88),
    payload('a goodbye with a code of nobody', Buffer.from([0x03, 0xed]), 0x88),
    ...[0x83, 0x84, 0x87, 0x8b, 0x8f].map((first) => payload(`the opcode ${first & 0xf}`, Buffer.from('40'), first)),
    ...[0xc1, 0xa1, 0x91].map((first) => payload(`a reserved bit (${first.toString(16)})`, Buffer.from('40'), first)),
    payload('what was compressed, though nobody compresses', Buffer.alloc(10_000), 0xc1),
    payload('the end of what never began', Buffer.from('40'), 0x80),
    ['a text within a text', [frame('40', 0x01), frame('40')]],
    ['a frame without a mask', [unmasked]],
    ['a length of more than there is', [Buffer.from([0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])]],
    ['100,000 pieces of one byte', [frame('4', 0x01), ...Array.from({ length: 100_000 }, () => frame('x', 0x00))]],
    [
      '20 small pieces',
      [
        frame('4', 0x01),
        ...[...name.subarray(6).toString().slice(1)].slice(0, -1).map((letter) => frame(letter, 0x00)),
        frame('}', 0x80),
      ],
      'admitted',
    ],
  ];
}

function tokens({ token, userId, ended }: Keys): Spoken[] {
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
    ['an empty text', ''],
    ['a space', ' '],
    ['an id', userId],
    ['a condition', "' OR '1'='1"],
    ['a comment', `${token}'--`],
    ['a wildcard', '%'],
    ['the word null', 'null'],
    ['the prototype', '__proto__'],
    ['the token with a space', `${token} `],
    ['the token after a space', ` ${token}`],
    ['the token with a line break', `${token}\n`],
    ['the token with a zero', `${token}\u0000`],
    ['the token with its scheme', `Bearer ${token}`],
    ['the token, shortened', token.slice(0, -1)],
    ['the token, lengthened', `${token}A`],
    ['the token in capitals', token.toUpperCase()],
    ['the token in small letters', token.toLowerCase()],
    ['the token of three parts', `${token}.${token}.${token}`],
    ['what other hubs would sign', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.'],
    ['60 KB', 't'.repeat(60_000)],
    ['half of a character', '\ud800'],
    ...ended.map((old, index): [string, unknown] => [`a token that has ended (${index + 1})`, old]),
  ];
  return offered.map(([says, value]) => [`${says} as the token`, connect({ token: value }), 'UNAUTHENTICATED']);
}

/** What a client says that it has seen: fields like any other. */
function lasts({ token }: Keys): Knock[] {
  const { last } = connecting.request.shape;
  return fieldsOf(last, ['last']).flatMap((field) =>
    refusedOffers({ ...field, required: false }, { token, last: {} }).flatMap(
      ({ says, value, message, at }): Knock[] =>
        // Bytes travel with events only.
        value instanceof Attachment
          ? []
          : [{ says: `${at}: ${says}`, head: upgradeHead(PATH), frames: connect(message), expects: 'BAD_MESSAGE' }],
    ),
  );
}
