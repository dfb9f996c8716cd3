import ipaddr from 'ipaddr.js';

/** IPv6 addresses that are routed; the ranges that `ipaddr.js` knows are cut out of these. */
const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3');
/** By definition, whatever a resolver says (RFC 6761). */
const LOCALHOST = /^(?:.+\.)?localhost\.?$/i;

/** The host of a URL that is written as an IP address, without brackets. */
export function literalOf(hostname: string): string | undefined {
  const text = hostname.replace(/^\[(.*)\]$/, '$1');
  return ipaddr.isValid(text) ? text : undefined;
}

export function isLocalhost(hostname: string): boolean {
  return LOCALHOST.test(hostname);
}

/**
 * Whether an address is one of the public internet's. Those that hold an IPv4 address (mapped, NAT64, 6to4, Teredo) are not:
 * a gateway could lead them back inside.
 */
export function isPublicAddress(text: string): boolean {
  const address = ipaddr.parse(text);
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || address.match(GLOBAL_UNICAST);
}
