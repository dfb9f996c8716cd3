import ipaddr from 'ipaddr.js';

/** Whether only this machine can reach what listens on this address. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, '');
  if (!ipaddr.isValid(address)) return address.toLowerCase() === 'localhost';
  return ipaddr.process(address).range() === 'loopback';
}
