import CCrypto
import SessionModel
import TestSupport
import Testing

@Suite struct KeyHashTests {
  /// Key 00 01 … 0f of the reference vectors, as two little-endian halves.
  private let reference = KeyHasher(seed: (0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908))

  /// The 16 bytes in the order of the reference implementation's output.
  private func bytes(_ hash: KeyHash) -> [UInt8] {
    var bytes: [UInt8] = []
    for word in [hash.low, hash.high] {
      withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
    }
    return bytes
  }

  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  /// SipHash-2-4 with 16 bytes of output, by libcrypto.
  private func libcrypto(key: [UInt8], _ input: [UInt8]) -> [UInt8] {
    let algorithm = EVP_MAC_fetch(nil, "SIPHASH", nil)
    defer { EVP_MAC_free(algorithm) }
    let context = EVP_MAC_CTX_new(algorithm)
    defer { EVP_MAC_CTX_free(context) }
    var output = [UInt8](repeating: 0, count: 16)
    var written = 0
    var size = 16
    "size".withCString { name in
      withUnsafeMutablePointer(to: &size) { size in
        let parameters = [
          OSSL_PARAM(
            key: name, data_type: UInt32(OSSL_PARAM_UNSIGNED_INTEGER), data: size,
            data_size: MemoryLayout<Int>.size, return_size: 0),
          OSSL_PARAM(),
        ]
        #expect(EVP_MAC_init(context, key, key.count, parameters) == 1)
      }
    }
    #expect(EVP_MAC_update(context, input, input.count) == 1)
    #expect(EVP_MAC_final(context, &output, &written, output.count) == 1)
    #expect(written == 16)
    return output
  }

  static let vectors: [(Int, String)] = [
    (0, "a3817f04ba25a8e66df67214c7550293"), (1, "da87c1d86b99af44347659119b22fc45"),
    (2, "8177228da4a45dc7fca38bdef60affe4"),
  ]

  @Test(arguments: vectors)
  func `the hash is that of the authors' vectors`(count: Int, expected: String) {
    let input = (0..<count).map { UInt8($0) }
    #expect(hex(bytes(input.withUnsafeBytes { reference.hash($0) })) == expected)
  }

  @Test func `the hash is libcrypto's for each length and seed`() {
    for length in 0..<200 {
      var random = RandomNumbers(seed: UInt64(length))
      let key = (0..<16).map { _ in UInt8(random.below(256)) }
      let input = (0..<length).map { _ in UInt8(random.below(256)) }
      let seed = key.withUnsafeBytes {
        (
          UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
          UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        )
      }
      let hash = input.withUnsafeBytes { KeyHasher(seed: seed).hash($0) }
      #expect(bytes(hash) == libcrypto(key: key, input), "length \(length)")
    }
  }

  @Test func `the group is the top byte`() {
    #expect(KeyHash(high: 0xAB00_0000_0000_0001, low: 0).group == 0xAB)
    #expect(KeyHash(high: .max, low: 0).group == 255)
    #expect(KeyHash(high: 0x00FF_FFFF_FFFF_FFFF, low: .max).group == 0)
  }
}
