import CRdKafka

/// The headers of a writer's records: some that all have, and one that each has its own of.
///
/// One thread uses it.
package final class RecordHeaders {
  private let shared: OpaquePointer
  private let ownName: String
  /// The value of the record's own header, for the records produced from now on.
  package var own: [UInt8] = []

  /// - Parameters:
  ///   - shared: names and values that every record gets.
  ///   - own: the name of the header that `own` is the value of.
  package init(_ shared: [(name: String, value: String)], own: String) {
    guard let headers = rd_kafka_headers_new(shared.count) else { fatalError("out of memory") }
    self.shared = headers
    ownName = own
    for (name, value) in shared {
      // Fails only for headers that belong to a message.
      rd_kafka_header_add(headers, name, -1, value, value.utf8.count)
    }
  }

  deinit { rd_kafka_headers_destroy(shared) }

  /// - Returns: headers that the caller destroys, or a message takes over.
  func copy() -> OpaquePointer {
    guard let headers = rd_kafka_headers_copy(shared) else { fatalError("out of memory") }
    own.withUnsafeBytes { bytes in
      _ = rd_kafka_header_add(headers, ownName, -1, bytes.baseAddress, bytes.count)
    }
    return headers
  }
}
