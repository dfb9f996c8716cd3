import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';

/** TLS as the driver takes it. */
export interface TlsOptions {
  ca?: string;
  cert?: string;
  key?: string;
  /** Whether the server's certificate must be signed by the authority, and be for its host. */
  rejectUnauthorized: boolean;
  verifyIdentity: boolean;
}

type Parameters = Record<string, string | undefined>;

const MODES = ['DISABLED', 'REQUIRED', 'VERIFY_CA', 'VERIFY_IDENTITY'] as const;
type Mode = (typeof MODES)[number];

/**
 * The TLS options of a URL's parameters, which are named and understood as by the server's own command line clients: `ssl=true` or
 * `ssl-mode=REQUIRED` encrypts, `ssl-ca` also checks who signed the certificate. Throws an `Error` if they cannot all be honoured.
 */
export function tlsOptions(parameters: Parameters, hosts: readonly string[]): TlsOptions | undefined {
  const [ca, cert, key] = ['ssl-ca', 'ssl-cert', 'ssl-key'].map((name) => contentOf(name, parameters[name]));
  const files = [ca, cert, key].filter((file) => file !== undefined);
  const mode = modeOf(parameters, ca !== undefined, files.length > 0);
  if (mode === 'DISABLED') {
    if (files.length > 0) throw new Error('ssl-ca, ssl-cert and ssl-key need TLS, which ssl or ssl-mode switches off');
    return undefined;
  }
  if ((cert === undefined) !== (key === undefined)) throw new Error('ssl-cert and ssl-key must be given together');
  if (mode === 'VERIFY_CA' && ca === undefined) throw new Error('ssl-mode=VERIFY_CA needs ssl-ca=/path/to/ca.pem');
  // The driver compares the certificate with a host name only.
  if (mode === 'VERIFY_IDENTITY' && hosts.some((host) => isIP(host) !== 0)) {
    throw new Error('ssl-mode=VERIFY_IDENTITY needs a host name instead of an address; ssl-mode=VERIFY_CA does not');
  }
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    rejectUnauthorized: mode !== 'REQUIRED',
    verifyIdentity: mode === 'VERIFY_IDENTITY',
  };
}

function modeOf(parameters: Parameters, hasAuthority: boolean, hasFiles: boolean): Mode {
  const { ssl, 'ssl-mode': name } = parameters;
  if (ssl !== undefined && !/^(true|false|1|0)$/i.test(ssl)) {
    throw new Error('ssl must be true or false; certificates are given by ssl-ca, ssl-cert and ssl-key');
  }
  const isOn = ssl === undefined ? undefined : /^(true|1)$/i.test(ssl);
  const mode = MODES.find((known) => known === name?.toUpperCase());
  if (name !== undefined && mode === undefined) {
    throw new Error(`ssl-mode must be one of ${MODES.join(', ')}, since others could end in clear text`);
  }
  if (isOn !== undefined && mode !== undefined && isOn === (mode === 'DISABLED')) {
    throw new Error('ssl and ssl-mode contradict each other');
  }
  const implied = hasFiles || isOn ? 'REQUIRED' : 'DISABLED';
  const chosen = isOn === false ? 'DISABLED' : (mode ?? implied);
  // An authority that is given is never ignored.
  return chosen === 'REQUIRED' && hasAuthority ? 'VERIFY_CA' : chosen;
}

/** Reads a PEM file now, so that a wrong path stops the start. */
function contentOf(name: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    const pem = readFileSync(path, 'utf8');
    createSecureContext(name === 'ssl-key' ? { key: pem } : name === 'ssl-ca' ? { ca: pem } : { cert: pem });
    if (!pem.includes('-----BEGIN ')) throw new Error('it is not a PEM file');
    return pem;
  } catch (error) {
    throw new Error(`${name}=${path} cannot be used: ${(error as Error).message}`);
  }
}
