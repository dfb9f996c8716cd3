import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import ipaddr from 'ipaddr.js';
import { CONFIG, type Config } from '../config.js';
import { forwarded } from './http/forwarded.js';
import { Logger } from './observability/logger.js';

/** A single IPv6 customer is assigned a whole /64, so limits count that network as one address. */
const IPV6_NETWORK_PARTS = 4;
/** `[2001:db8::1]`, with a port or without. */
const BRACKETED = /^\[([^\]]*)\](?::[\w.-]+)?$/;
/** `192.0.2.1:30000`. Without brackets, an IPv6 address has no port: it would be a part of the address. */
const IPV4_WITH_PORT = /^([\d.]+):[\w.-]+$/;
const LOGGED_CHARACTERS_MAX = 64;

/** The addresses that limits are counted by and that the log names. */
@Injectable()
export class ClientAddress {
  private hasWarned = false;

  constructor(
    @Inject(CONFIG) private readonly config: Pick<Config, 'trustProxy'>,
    private readonly logger: Logger,
  ) {}

  of(request: IncomingMessage): string {
    return addressOf(request, this.config.trustProxy, (text) => this.warn(text));
  }

  /** Once, because every request through that proxy looks alike. */
  private warn(text: string): void {
    if (this.hasWarned) return;
    this.hasWarned = true;
    this.logger.warn({ form: formOf(text) }, "a forwarded address is not understood: limits count the proxy's own");
  }
}

/**
 * The address of a request's client. Behind a trusted proxy that is the last forwarded address, the only one that the proxy saw
 * itself: those before it are the client's claim. One that is not understood is passed to `notUnderstood`, and the socket's counts.
 */
export function addressOf(
  { headers, socket }: IncomingMessage,
  trustProxy: boolean,
  notUnderstood: (text: string) => void = () => {},
): string {
  const text = trustProxy ? forwarded(headers, 'for').at(-1) : undefined;
  const address = text === undefined ? undefined : withoutPort(text);
  if (text !== undefined && address === undefined) notUnderstood(text);
  return networkOf(address ?? socket.remoteAddress ?? '');
}

function withoutPort(text: string): string | undefined {
  const address = (BRACKETED.exec(text) ?? IPV4_WITH_PORT.exec(text))?.[1] ?? text;
  return isIP(address) === 0 ? undefined : address;
}

function networkOf(text: string): string {
  if (!ipaddr.isValid(text)) return text;
  // Maps IPv4-mapped IPv6 to IPv4, so that a client has one address on either stack.
  const address = ipaddr.process(text);
  if (address instanceof ipaddr.IPv4) return address.toString();
  const network = address.parts.slice(0, IPV6_NETWORK_PARTS);
  return `${network.map((part) => part.toString(16)).join(':')}::/64`;
}

/** Shows how a proxy writes addresses, without what a client may have sent. */
function formOf(text: string): string {
  const form = text.slice(0, LOGGED_CHARACTERS_MAX).replace(/[a-z]/gi, 'a').replace(/\d/g, '0');
  return form.replace(/[^ -~]/g, '?');
}
