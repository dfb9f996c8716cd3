import { promises as dns, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { HubError } from '../../contract/errors.js';
import { ConcurrencyLimiter } from '../limits/concurrency.limiter.js';
import { isLocalhost, isPublicAddress, literalOf } from './receiver.address.js';

/** Until another server of the resolver is asked, and the attempts. */
const QUERY_TIMEOUT_MS = 1_000;
const QUERY_TRIES = 2;
/** Threads of the pool that the system's resolver may block, of the four that hashing and the log share. */
const SYSTEM_LOOKUPS_MAX = 2;
const SYSTEM_LOOKUPS_QUEUED_MAX = 100;
/** From the beginning of the look-up, within the time for an answer. What is not known by then is found out at the delivery. */
const CHECK_TIMEOUT_MS = 3_000;

const NOT_PUBLIC = 'must not lead to a private or reserved address';

interface LookUp {
  found: Promise<LookupAddress[]>;
  begunAt: number;
}

/** Finds the addresses of receivers, and refuses those inside the operator's network. */
@Injectable()
export class HostResolver {
  private readonly queries = new dns.Resolver({ timeout: QUERY_TIMEOUT_MS, tries: QUERY_TRIES });
  /** Look-ups that are under way, by host. */
  private readonly finding = new Map<string, LookUp>();
  private readonly systemLookups = new ConcurrencyLimiter({
    maxConcurrent: SYSTEM_LOOKUPS_MAX,
    maxQueued: SYSTEM_LOOKUPS_QUEUED_MAX,
  });

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** Throws `BAD_MESSAGE` at this field for an address that is not allowed. A name that cannot be resolved now is. */
  async check(url: string, path = 'url'): Promise<void> {
    if (this.config.webhooksPrivate) return;
    const { protocol, hostname } = new URL(url);
    if (protocol !== 'https:') throw badUrl(path, 'must be an https address');
    const { found, begunAt } = this.find(hostname);
    const leftMs = Math.max(0, begunAt + CHECK_TIMEOUT_MS - performance.now());
    const addresses = await Promise.race([found.catch(() => []), sleep(leftMs, [], { ref: false })]);
    if (!addresses.every(({ address }) => isPublicAddress(address))) throw badUrl(path, NOT_PUBLIC);
  }

  /** Throws unless a request may be sent to this URL. What `lookup` finds is judged when it is found. */
  assertAllowed({ protocol, hostname }: URL): void {
    if (this.config.webhooksPrivate) return;
    if (protocol !== 'https:') throw new Error('the address is not https');
    const literal = literalOf(hostname);
    if (literal !== undefined && !isPublicAddress(literal)) throw new Error(`the address ${NOT_PUBLIC}`);
  }

  /** For a connection: it is opened to one of these very addresses, so that a second answer of the resolver cannot differ. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    const failed = (error: unknown) => callback(error as NodeJS.ErrnoException, '', 0);
    this.allowed(hostname).then((addresses) => {
      const [first] = addresses;
      if (!first) return failed(new Error('the host has no address'));
      if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    }, failed);
  };

  private async allowed(hostname: string): Promise<LookupAddress[]> {
    const addresses = await this.find(hostname).found;
    const isAllowed = this.config.webhooksPrivate || addresses.every(({ address }) => isPublicAddress(address));
    if (!isAllowed) throw new Error(`the address ${NOT_PUBLIC}`);
    return addresses;
  }

  /** Many webhooks of one host at a time cost one look-up. */
  private find(hostname: string): LookUp {
    const known = this.finding.get(hostname);
    if (known) return known;
    const found = this.resolve(hostname).finally(() => this.finding.delete(hostname));
    const lookUp = { found, begunAt: performance.now() };
    this.finding.set(hostname, lookUp);
    return lookUp;
  }

  private async resolve(hostname: string): Promise<LookupAddress[]> {
    const literal = literalOf(hostname);
    if (literal !== undefined) return [{ address: literal, family: literal.includes(':') ? 6 : 4 }];
    if (isLocalhost(hostname)) return [...asAddresses(['127.0.0.1'], 4), ...asAddresses(['::1'], 6)];
    const [four, six] = await Promise.all([
      this.queries.resolve4(hostname).catch(() => []),
      this.queries.resolve6(hostname).catch(() => []),
    ]);
    const addresses = [...asAddresses(four, 4), ...asAddresses(six, 6)];
    if (addresses.length > 0) return addresses;
    // Names in the hosts file. The system's resolver blocks a thread for as long as a name server is mute.
    return this.systemLookups.run(() => dns.lookup(hostname, { all: true }));
  }
}

function asAddresses(addresses: readonly string[], family: number): LookupAddress[] {
  return addresses.map((address) => ({ address, family }));
}

function badUrl(path: string, problem: string): HubError {
  return HubError.badMessage([{ path, problem }]);
}
