/// Whether an address can be a visitor's on the Internet: not private, loopback, link-local, shared,
/// reserved, for documentation, benchmarks or multicast.
///
/// After IANA's registries of special-purpose addresses (RFC 6890 and its updates). Of IPv6 only
/// 2000::/3 has been given out.
package enum PublicAddress {
  package static func contains(ipv4 address: UInt32) -> Bool {
    func isWithin(_ network: UInt32, _ bits: UInt32) -> Bool {
      (address ^ network) >> (32 - bits) == 0
    }
    switch address >> 24 {
    case 0, 10, 127, 224...255: return false
    case 100: return !isWithin(0x6440_0000, 10)
    case 169: return !isWithin(0xA9FE_0000, 16)
    case 172: return !isWithin(0xAC10_0000, 12)
    case 192:
      return !isWithin(0xC0A8_0000, 16) && !isWithin(0xC000_0000, 24)
        && !isWithin(0xC000_0200, 24) && !isWithin(0xC058_6300, 24)
    case 198: return !isWithin(0xC612_0000, 15) && !isWithin(0xC633_6400, 24)
    case 203: return !isWithin(0xCB00_7100, 24)
    default: return true
    }
  }

  /// - Parameter high: the upper 64 bits.
  package static func contains(ipv6 high: UInt64) -> Bool {
    func isWithin(_ network: UInt64, _ bits: UInt64) -> Bool {
      (high ^ network) >> (64 - bits) == 0
    }
    return isWithin(0x2000_0000_0000_0000, 3)
      && !isWithin(0x2001_0000_0000_0000, 23) && !isWithin(0x2001_0DB8_0000_0000, 32)
      && !isWithin(0x2002_0000_0000_0000, 16) && !isWithin(0x3FFF_0000_0000_0000, 20)
  }
}
