import type { IncomingHttpHeaders } from 'node:http';

/**
 * What proxies forwarded of the original request, the nearest proxy's value last: from `X-Forwarded-For`, `-Host` or `-Proto`, or
 * else from the standard `Forwarded` (RFC 7239). Only for a hub behind a trusted proxy, because every client can send these headers.
 */
export function forwarded(headers: IncomingHttpHeaders, name: 'for' | 'host' | 'proto'): string[] {
  const own = listOf(headers[`x-forwarded-${name}`]);
  const values = own.length > 0 ? own : listOf(headers.forwarded).flatMap((hop) => parameterOf(hop, name));
  return values.map((value) => value.replace(/^"([^"]*)"$/, '$1'));
}

/** Splits at every comma, also a quoted one: a client's unclosed quote must not swallow what the proxy appended. */
function listOf(header: string | string[] | undefined): string[] {
  const text = [header ?? []].flat().join();
  return text.trim() === '' ? [] : text.split(',').map((item) => item.trim());
}

function parameterOf(hop: string, name: string): string[] {
  for (const parameter of hop.split(';')) {
    const [key = '', value] = parameter.split('=');
    if (value !== undefined && key.trim().toLowerCase() === name) return [value.trim()];
  }
  return [];
}
