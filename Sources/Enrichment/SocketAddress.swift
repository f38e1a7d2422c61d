import Glibc
import SessionModel

/// An IPv4 or IPv6 address in the form that system calls take.
struct SocketAddress {
  private var storage = sockaddr_in6()

  /// - Parameter text: an address in canonical form, as keys hold it.
  /// - Returns: nil for any other text.
  init?(_ text: TextView) {
    // Room for the longest IPv6 address and its end.
    // A zero would end the text for the system call, and hide what follows.
    guard text.count < Int(INET6_ADDRSTRLEN), !text.contains(0), let start = text.baseAddress
    else { return nil }
    let isParsed = withUnsafeTemporaryAllocation(
      byteCount: Int(INET6_ADDRSTRLEN), alignment: 1
    ) { copy in
      copy.initializeMemory(as: UInt8.self, repeating: 0)
      copy.baseAddress!.copyMemory(from: start, byteCount: text.count)
      return parse(copy.baseAddress!.assumingMemoryBound(to: CChar.self))
    }
    if !isParsed { return nil }
  }

  private mutating func parse(_ text: UnsafePointer<CChar>) -> Bool {
    withUnsafeMutableBytes(of: &storage) { bytes in
      let ipv4 = bytes.baseAddress! + MemoryLayout<sockaddr_in>.offset(of: \.sin_addr)!
      if inet_pton(AF_INET, text, ipv4) == 1 {
        bytes.storeBytes(of: sa_family_t(AF_INET), as: sa_family_t.self)
        return true
      }
      let ipv6 = bytes.baseAddress! + MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr)!
      bytes.storeBytes(of: sa_family_t(AF_INET6), as: sa_family_t.self)
      return inet_pton(AF_INET6, text, ipv6) == 1
    }
  }

  /// As `PublicAddress` has it.
  var isPublic: Bool {
    withUnsafeBytes(of: storage) { bytes in
      if storage.sin6_family == sa_family_t(AF_INET) {
        let place = MemoryLayout<sockaddr_in>.offset(of: \.sin_addr)!
        let address = bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)
        return PublicAddress.contains(ipv4: UInt32(bigEndian: address))
      }
      let place = MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr)!
      let high = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
      return PublicAddress.contains(ipv6: UInt64(bigEndian: high))
    }
  }

  func withPointer<Result>(_ body: (UnsafePointer<sockaddr>) -> Result) -> Result {
    withUnsafeBytes(of: storage) { body($0.assumingMemoryBound(to: sockaddr.self).baseAddress!) }
  }
}
