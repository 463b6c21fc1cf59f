import { BlockList, isIP } from 'node:net';
import { lookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { EncoreError } from '../../contracts/errors.ts';

/** Addresses that are not of the open internet: the IANA special-purpose registries for IPv4 and IPv6. */
const special = new BlockList();
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  special.addSubnet(net, prefix, 'ipv4');
}
const openIpv6 = new BlockList();
// Everything else of IPv6 is local, special or not given out.
openIpv6.addSubnet('2000::', 3, 'ipv6');
for (const [net, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  // 6to4 carries any IPv4 address, private ones among them.
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  special.addSubnet(net, prefix, 'ipv6');
}

/** Whether an address belongs to the open internet. */
export function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !special.check(address, 'ipv4');
  return isIP(address) === 6 && openIpv6.check(address, 'ipv6') && !special.check(address, 'ipv6');
}

type Callback = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/**
 * Looks a name up as node:net wants it, and refuses it where any of its addresses is not public. Asked by the connection
 * itself, so a name that changes its mind between a check and its use gains nothing.
 */
export function lookupPublic(hostname: string, options: LookupOptions, callback: Callback): void {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const inside = error === null ? addresses.find(({ address }) => !isPublic(address)) : undefined;
    if (error !== null) callback(error, []);
    else if (inside !== undefined || addresses[0] === undefined) callback(refused(hostname), []);
    else if (options.all === true) callback(null, addresses);
    else callback(null, addresses[0].address, addresses[0].family);
  });
}

/** @throws EncoreError `hub_refused` for an address without a name, which no look-up sees */
export function requirePublicHost(hostname: string): void {
  const literal = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(literal) !== 0 && !isPublic(literal)) throw refused(hostname);
}

function refused(hostname: string): EncoreError {
  return new EncoreError(
    'hub_refused',
    `The hub led to ${hostname.slice(0, 200)}, which is not an address of the open internet.`,
    { remedy: 'Nothing was fetched from there. A hub that sends one to such places is not to be trusted.' },
  );
}
