import { statSync } from 'node:fs';
import { type TlsOptions, tlsOptions } from './tls.options.js';

/** Where the database is: a file, or a database on a server. */
export type DatabaseLocation = { kind: 'file'; file: string } | ServerLocation;

export interface Host {
  host: string;
  port: number;
}

export interface ServerLocation {
  kind: 'server';
  /** One server, or several of which one takes writes: they are tried in this order. */
  hosts: [Host, ...Host[]];
  /** A Unix socket, which takes the place of hosts. */
  socketPath?: string;
  username: string;
  password: string;
  database: string;
  /** Without it, the connection is in clear text. */
  tls?: TlsOptions;
}

const FORM = 'mysql://user:password@host:port/database';
const ENCODE =
  'special characters in user and password must be percent-encoded (@ as %40, / as %2F, # as %23, ? as %3F)';
const DEFAULT_PORT = 3306;
const PARAMETERS = ['ssl', 'ssl-mode', 'ssl-ca', 'ssl-cert', 'ssl-key', 'socket'];

/**
 * Parses a `DATABASE_URL`. This is its only parser: the drivers are given the parts. Throws an `Error` that names what is missing,
 * invalid or not supported, and never contains a password.
 */
export function parseDatabaseUrl(text: string): DatabaseLocation {
  const url = text.trim();
  const scheme = /^[a-z][a-z0-9+.-]*(?=:)/i.exec(url)?.[0].toLowerCase();
  if (scheme === 'sqlite') return { kind: 'file', file: fileOf(url.slice('sqlite:'.length)) };
  if (scheme === 'mysql' || scheme === 'mariadb') return serverLocation(url);
  throw new Error(`must be sqlite:<file> or ${FORM}`);
}

/** The `DATABASE_URL` of an embedded database in this file. */
export function urlOfFile(path: string): string {
  return `sqlite:${path}`;
}

function fileOf(path: string): string {
  if (path === '') throw new Error('names no file: write sqlite:<file>');
  if (/^:memory:|^file:|\?/i.test(path)) {
    throw new Error('SQLite in memory, file: names and parameters are not supported: write sqlite:<file>');
  }
  if (/^\/\/(?!\/)/.test(path)) throw new Error('write sqlite:<file>, without the two slashes');
  if (/\p{Cc}/u.test(path)) throw new Error('the file name has a control character');
  const file = path.replace(/^\/{3,}/, '/');
  if (/(^|\/)\.{0,2}$/.test(file) || isFolder(file)) throw new Error(`${file} is a folder: write sqlite:<file>`);
  return file;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function serverLocation(text: string): ServerLocation {
  const { url, hosts } = split(text);
  if (url.username === '') throw new Error(`names no user: write ${FORM}`);
  if (url.search.includes('@')) throw new Error(ENCODE);
  const name = url.pathname.slice(1);
  if (name === '' || name.includes('/')) throw new Error(`names no database: write ${FORM}`);
  const { socket, ...parameters } = parametersOf(url);
  if (socket !== undefined && !socket.startsWith('/')) throw new Error('socket must be an absolute path');
  if (socket !== undefined && hosts.length > 1) throw new Error('socket and several hosts exclude each other');
  const tls = tlsOptions(
    parameters,
    hosts.map(({ host }) => host),
  );
  return {
    kind: 'server',
    hosts,
    ...(socket === undefined ? {} : { socketPath: socket }),
    username: decoded('user', url.username),
    password: decoded('password', url.password),
    database: decoded('database', name),
    ...(tls ? { tls } : {}),
  };
}

/** The hosts, and the URL with the first of them: several, with commas between them, are no URL by the standard. */
function split(text: string): { url: URL; hosts: [Host, ...Host[]] } {
  const [, start = '', list = '', rest = ''] = /^(\w+:\/\/(?:[^/?#@]*@)?)([^/?#@]*)(.*)$/.exec(text) ?? [];
  const [first, ...others] = list.split(',').map((host) => `${start}${host}${rest}`);
  // A password that is not encoded makes another part of the URL look wrong: no part is quoted before these are checked.
  const isUrl = (candidate: string | undefined) => candidate !== undefined && URL.canParse(candidate);
  if (first === undefined || /[#\s\p{Cc}]/u.test(text) || ![first, ...others].every(isUrl)) {
    throw new Error(`must be ${FORM}; ${ENCODE}`);
  }
  const url = new URL(first);
  return { url, hosts: [hostOf(url), ...others.map((other) => hostOf(new URL(other)))] };
}

function hostOf(url: URL): Host {
  if (url.port === '0') throw new Error('the port must be 1 to 65535');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (host.includes('%')) throw new Error('the host must be a name or an address; a Unix socket is ?socket=/path');
  return { host, port: url.port === '' ? DEFAULT_PORT : Number(url.port) };
}

function decoded(part: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error(`the ${part} is not percent-encoded: write % as %25`);
  }
}

function parametersOf(url: URL): Record<string, string | undefined> {
  const parameters: Record<string, string> = {};
  for (const [name, value] of url.searchParams) {
    if (!PARAMETERS.includes(name)) {
      const quoted = /^[\w.-]{1,40}$/.test(name) ? `the parameter ${name}` : 'a parameter';
      throw new Error(`${quoted} is not supported; supported are ${PARAMETERS.join(', ')}`);
    }
    if (parameters[name] !== undefined) throw new Error(`the parameter ${name} is given twice`);
    if (value === '') throw new Error(`the parameter ${name} is empty`);
    parameters[name] = value;
  }
  return parameters;
}
