import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';

/** A house with IPv6 is given a network of its own, with more addresses than anybody could count: the network is the sender. */
const IPV6_NETWORK_PARTS = 4;

/**
 * The address that limits are counted by. A proxy's word is taken only if there is one that can be trusted, and then only for
 * what it saw itself: the last of the forwarded addresses. Those before it are what the client claims.
 */
export function addressOf({ headers, socket }: IncomingMessage, trustProxy: boolean): string {
  const forwarded = trustProxy ? [headers['x-forwarded-for']].flat().join().split(',').at(-1)?.trim() : undefined;
  const text = forwarded !== undefined && ipaddr.isValid(forwarded) ? forwarded : (socket.remoteAddress ?? '');
  if (!ipaddr.isValid(text)) return text;
  // IPv4 within IPv6 is one address, however it is written.
  const address = ipaddr.process(text);
  if (address instanceof ipaddr.IPv4) return address.toString();
  const network = address.parts.slice(0, IPV6_NETWORK_PARTS);
  return `${network.map((part) => part.toString(16)).join(':')}::/64`;
}
