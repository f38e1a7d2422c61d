import SessionModel

/// A row of `geography`, keyed by an address in canonical form: what a service said of it.
///
/// It is a cache: a row that is missing, also by damage that a checksum cannot show, costs a request.
enum GeographyRow {
  static let version: UInt8 = 1
  /// What a row is likely to need in the file.
  static let likelyBytes = 256

  static func encode(_ answer: AddressGeography) -> [UInt8] {
    var bytes = [version]
    PackedText.append(answer.answeredAt, to: &bytes)
    for text in [answer.country, answer.state, answer.city] {
      PackedText.append(text: text.map { Array($0.utf8) }, to: &bytes)
    }
    let seed = Array(answer.address.utf8).withBytes { Checksum.seed(.geography, $0) }
    SealedValue.seal(&bytes, seed: seed)
    return bytes
  }

  static func decode(
    key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer
  ) -> AddressGeography? {
    guard (1...AddressGeography.addressBytes).contains(key.count),
      let address = String(validating: key, as: UTF8.self),
      let body = SealedValue.open(value, version: version, seed: Checksum.seed(.geography, key))
    else { return nil }
    var reader = PackedReader(body)
    guard let answeredAt = reader.integer(Microseconds.self),
      let country = reader.optionalString(), let state = reader.optionalString(),
      let city = reader.optionalString(), reader.isAtEnd
    else { return nil }
    return AddressGeography(
      address: address, answeredAt: answeredAt, country: country, state: state, city: city)
  }

  static func read(
    _ address: UnsafeRawBufferPointer, _ transaction: borrowing Transaction
  ) throws(StateError) -> AddressGeography? {
    guard let value = try transaction.get(.geography, address) else { return nil }
    guard let answer = decode(key: address, value: value) else { throw broken(transaction) }
    return answer
  }

  static func broken(_ transaction: borrowing Transaction) -> StateError {
    .damaged(transaction.environment.directory, "a row of 'geography' is broken")
  }

  /// Adds answers. For each of them it looks at two rows that lie behind it: those that are too old go,
  /// and others too as long as there are more than the limit.
  ///
  /// Addresses say nothing of when they came, so which rows go is as good as random; no row is looked
  /// for among all, and nothing of it is remembered between checkpoints.
  ///
  /// - Parameters:
  ///   - oldest: answers from before this, wall clock, are too old.
  ///   - limit: rows.
  static func add(
    _ answers: [AddressGeography], oldest: Microseconds, limit: UInt64,
    _ transaction: borrowing Transaction
  ) throws(StateError) {
    guard let first = answers.first else { return }
    for answer in answers {
      try transaction.put(.geography, Array(answer.address.utf8), encode(answer), .replacing)
    }
    var surplus = Int(try transaction.count(.geography)) - Int(limit)
    var looks = 2 * answers.count
    var cursor = try transaction.cursor(.geography)
    var isThere = try Array(first.address.utf8).withBytes { (key) throws(StateError) in
      // Not the new one itself.
      if try cursor.seek(key) { try cursor.next() } else { false }
    }
    while looks > 0 || surplus > 0 {
      if !isThere, try !cursor.first() { return }
      guard let answer = decode(key: cursor.key, value: cursor.value) else {
        throw broken(transaction)
      }
      if surplus > 0 || answer.answeredAt < oldest {
        try cursor.delete()
        surplus -= 1
      }
      looks -= 1
      isThere = try cursor.next()
    }
  }
}
