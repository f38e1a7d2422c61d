/// Writes small files in MaxMind's format (its specification, version 2.0): IPv6 trees with records
/// of 24 bits, IPv4 networks below ::/96.
package struct MaxMindWriter {
  /// What a network's data hold.
  package indirect enum Value {
    case text(String)
    /// Unsigned, of so many bits: 16, 32 or 64.
    case number(UInt64, bits: Int)
    case list([Value])
    case map([(String, Value)])
  }

  private enum Record {
    case empty
    case node(Int)
    case data(Int)
  }
  private var nodes: [(left: Record, right: Record)] = [(.empty, .empty)]
  private var data: [UInt8] = []
  package var databaseType = "Test-City"
  /// Seconds since 1970.
  package var buildEpoch: UInt64 = 1_700_000_000

  package init() {}

  /// Adds a network with names as City files have them; nil leaves one out.
  ///
  /// - Parameter address: four or sixteen bytes.
  package mutating func add(
    _ address: [UInt8], bits: Int, country: String?, state: String? = nil, city: String? = nil
  ) {
    func names(_ name: String) -> Value {
      .map([("names", .map([("de", .text("?")), ("en", .text(name))]))])
    }
    var parts: [(String, Value)] = []
    if let city { parts.append(("city", names(city))) }
    if let country { parts.append(("country", .map([("iso_code", .text(country))]))) }
    if let state { parts.append(("subdivisions", .list([names(state), names("second")]))) }
    add(address, bits: bits, .map(parts))
  }

  package mutating func add(_ address: [UInt8], bits: Int, _ value: Value) {
    let entry = data.count
    MaxMindWriter.append(value, to: &data)
    let isIPv4 = address.count == 4
    insert(
      .data(entry), at: isIPv4 ? [UInt8](repeating: 0, count: 12) + address : address,
      bits: isIPv4 ? bits + 96 : bits)
  }

  /// - Precondition: no network inside another one.
  private mutating func insert(_ record: Record, at address: [UInt8], bits: Int) {
    var node = 0
    for bit in 0..<bits {
      let isRight = address[bit / 8] >> (7 - bit % 8) & 1 == 1
      if bit == bits - 1 { return set(record, at: node, isRight: isRight) }
      if case .node(let next) = isRight ? nodes[node].right : nodes[node].left {
        node = next
      } else {
        nodes.append((.empty, .empty))
        set(.node(nodes.count - 1), at: node, isRight: isRight)
        node = nodes.count - 1
      }
    }
  }

  private mutating func set(_ record: Record, at node: Int, isRight: Bool) {
    if isRight { nodes[node].right = record } else { nodes[node].left = record }
  }

  /// The whole file.
  package func bytes() -> [UInt8] {
    var file: [UInt8] = []
    for node in nodes {
      for record in [node.left, node.right] {
        let number = number(of: record)
        file += [UInt8(number >> 16), UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)]
      }
    }
    file += [UInt8](repeating: 0, count: 16) + data
    file += [0xAB, 0xCD, 0xEF] + Array("MaxMind.com".utf8)
    MaxMindWriter.append(metadata, to: &file)
    return file
  }

  /// Where the data section begins in the file.
  package var dataStart: Int { nodes.count * 6 + 16 }

  private func number(of record: Record) -> Int {
    switch record {
    case .empty: nodes.count
    case .node(let node): node
    case .data(let entry): nodes.count + 16 + entry
    }
  }

  private var metadata: Value {
    .map([
      ("binary_format_major_version", .number(2, bits: 16)),
      ("binary_format_minor_version", .number(0, bits: 16)),
      ("build_epoch", .number(buildEpoch, bits: 64)), ("database_type", .text(databaseType)),
      ("description", .map([("en", .text("made by a test"))])),
      ("ip_version", .number(6, bits: 16)),
      ("languages", .list([.text("en")])), ("node_count", .number(UInt64(nodes.count), bits: 32)),
      ("record_size", .number(24, bits: 16)),
    ])
  }

  // MARK: - The data section

  private static func append(_ value: Value, to bytes: inout [UInt8]) {
    switch value {
    case .text(let text):
      appendHead(type: 2, size: text.utf8.count, to: &bytes)
      bytes += text.utf8
    case .number(let number, let bits):
      let digits = withUnsafeBytes(of: number.bigEndian) { Array($0.drop { $0 == 0 }) }
      appendHead(type: bits == 16 ? 5 : bits == 32 ? 6 : 9, size: digits.count, to: &bytes)
      bytes += digits
    case .list(let values):
      appendHead(type: 11, size: values.count, to: &bytes)
      for value in values { append(value, to: &bytes) }
    case .map(let entries):
      appendHead(type: 7, size: entries.count, to: &bytes)
      for (key, value) in entries {
        append(.text(key), to: &bytes)
        append(value, to: &bytes)
      }
    }
  }

  /// A control byte, an extended type, and the bytes of a longer size.
  private static func appendHead(type: UInt8, size: Int, to bytes: inout [UInt8]) {
    let short = UInt8(min(size, size < 285 ? 29 : 30))
    bytes.append((type > 7 ? 0 : type << 5) | (size < 29 ? UInt8(size) : short))
    if type > 7 { bytes.append(type - 7) }
    if size >= 285 {
      bytes += [UInt8((size - 285) >> 8), UInt8((size - 285) & 0xFF)]
    } else if size >= 29 {
      bytes.append(UInt8(size - 29))
    }
  }
}
