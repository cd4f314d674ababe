import { lookup as lookUp, type LookupAddress } from 'node:dns';
import { BlockList, isIP, isIPv6 } from 'node:net';

/** Which addresses a build with network `Full` may reach. */
export interface Reach {
  /** `host:port` that may be reached although the address is a private one: such as a cache of modules. */
  readonly open?: readonly string[] | undefined;
  /** `address/prefix` that may not be reached although it is a public one: such as the controller's own. */
  readonly closed?: readonly string[] | undefined;
}

/** IANA's registries of special-purpose addresses: of this host, of private networks, for documentation, multicast. */
const special4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15'],
  ...['198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
];
/** Of what is global unicast: Teredo and 6to4 lead to IPv4 addresses, the other one is documentation. */
const special6 = ['2001::/32', '2001:db8::/32', '2002::/16', '3fff::/20'];

/** What may be reached, by host name and by the address that it has. */
export class ReachRules {
  readonly #open: ReadonlySet<string>;
  readonly #closed = new BlockList();
  readonly #global6 = new BlockList();

  constructor({ open = [], closed = [] }: Reach) {
    this.#open = new Set(open);
    this.#global6.addSubnet('2000::', 3, 'ipv6');
    for (const range of [...special4, ...special6, ...closed]) this.#close(range);
  }

  /** Whether this host and port are named as open. */
  isOpen(host: string, port: number): boolean {
    return this.#open.has(`${host}:${port}`);
  }

  /** Whether an address is public, and not closed. */
  isPublic(address: string): boolean {
    if (isIP(address) === 0) return false;
    if (!isIPv6(address)) return !this.#closed.check(address, 'ipv4');
    return this.#global6.check(address, 'ipv6') && !this.#closed.check(address, 'ipv6');
  }

  /**
   * The addresses of a host that may be connected to. They are looked up once and then used, so that a name can't have one
   * address when it is checked and another one when it is used.
   */
  async addressesOf(host: string, port: number): Promise<readonly LookupAddress[]> {
    const bare = host.replace(/^\[(.*)\]$/, '$1');
    const found = await new Promise<LookupAddress[]>((resolve, reject) => {
      lookUp(bare, { all: true }, (error, all) => (error ? reject(error) : resolve(all)));
    });
    const open = this.isOpen(host, port)
      ? found
      : found.filter(({ address }) => this.isPublic(address));
    return open.toSorted((a, b) => a.family - b.family); // not every machine has IPv6
  }

  #close(range: string): void {
    const [address = '', prefix = ''] = range.split('/');
    const family = isIP(address);
    if (family === 0 || !/^\d{1,3}$/.test(prefix)) {
      throw new RangeError(
        `${JSON.stringify(range)} is no range of addresses such as 192.0.2.0/24`,
      );
    }
    this.#closed.addSubnet(address, Number(prefix), family === 6 ? 'ipv6' : 'ipv4');
  }
}
