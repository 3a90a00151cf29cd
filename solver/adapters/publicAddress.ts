// Which IP addresses are public hosts. Everything that is not certainly one is refused: private,
// loopback, link-local (the clouds' metadata), carrier NAT, multicast, reserved, documentation, and
// the IPv6 forms that carry an IPv4 address inside (mapped, 6to4, Teredo, NAT64).
// Ranges: IANA's special-purpose address registries for IPv4 and IPv6.

import { BlockList, isIP } from 'node:net';

const V4_REFUSED: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  // Azure's metadata and DNS answer here, inside its networks only.
  ['168.63.129.16', 32],
];
/** Global unicast is 2000::/3; nothing else is ever public. */
const V6_PUBLIC = ['2000::', 3] as const;
const V6_REFUSED: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
];

const v4Refused = new BlockList();
for (const [net, bits] of V4_REFUSED) v4Refused.addSubnet(net, bits, 'ipv4');
const v6Public = new BlockList();
v6Public.addSubnet(...V6_PUBLIC, 'ipv6');
const v6Refused = new BlockList();
for (const [net, bits] of V6_REFUSED) v6Refused.addSubnet(net, bits, 'ipv6');

/** False for text that is no address, too. */
export function isPublicAddress(address: string): boolean {
  if (address.includes('%')) return false;
  const family = isIP(address);
  if (family === 4) return !v4Refused.check(address, 'ipv4');
  if (family !== 6) return false;
  return v6Public.check(address, 'ipv6') && !v6Refused.check(address, 'ipv6');
}
