import SessionModel

/// The one row of `job`: what the state belongs to. Written when the state is made, never again.
struct JobRow {
  /// The version of the whole format. Versions 1 and 2 were never released, and are not read.
  static let formatVersion: UInt8 = 3
  static let key = "job"

  var identity: JobIdentity
  /// Seed of the key hash, 16 random bytes.
  var hashSeed: (UInt64, UInt64)
  /// Wall clock, µs since 1970. For people only.
  var createdAt: Microseconds

  private static var seed: UInt64 { Array(key.utf8).withBytes { Checksum.seed(.job, $0) } }

  var encoded: [UInt8] {
    var bytes = [JobRow.formatVersion]
    PackedText.append(createdAt, to: &bytes)
    PackedText.append(hashSeed.0, to: &bytes)
    PackedText.append(hashSeed.1, to: &bytes)
    PackedText.append(string: identity.job, to: &bytes)
    let fingerprint = identity.fingerprint
    PackedText.append(string: fingerprint.topic, to: &bytes)
    PackedText.append(UInt16(fingerprint.keyFields.count), to: &bytes)
    for field in fingerprint.keyFields { PackedText.append(string: field, to: &bytes) }
    PackedText.append(fingerprint.gap, to: &bytes)
    PackedText.append(string: fingerprint.scope, to: &bytes)
    PackedText.append(string: fingerprint.idFormat, to: &bytes)
    PackedText.append(fingerprint.split, to: &bytes)
    bytes.append(fingerprint.dropsBots ? 1 : 0)
    SealedValue.seal(&bytes, seed: JobRow.seed)
    return bytes
  }

  /// - Throws: `.foreign` for a newer version, `.corrupt`.
  static func read(_ transaction: borrowing Transaction) throws(StateError) -> JobRow {
    let directory = transaction.environment.directory
    guard let value = try transaction.get(.job, key) else {
      throw StateError.damaged(directory, "the row of the job is missing")
    }
    let version = value.first ?? 0
    guard let body = SealedValue.open(value, version: version, seed: seed) else {
      throw StateError.damaged(directory, "the row of the job has a wrong checksum")
    }
    guard version == formatVersion else {
      throw StateError.foreign(
        """
        the state in '\(directory)' has format version \(version), this program writes \
        \(formatVersion). The state is untouched. Run the version of the program that wrote it, \
        or name another directory with --state: a new state derives the same rows again from the \
        log and skips those that the sinks hold.
        """)
    }
    guard let row = JobRow(body: body) else {
      throw StateError.damaged(directory, "the row of the job cannot be read")
    }
    return row
  }

  init(identity: JobIdentity, hashSeed: (UInt64, UInt64), createdAt: Microseconds) {
    self.identity = identity
    self.hashSeed = hashSeed
    self.createdAt = createdAt
  }

  /// - Parameter value: the whole value, of this version.
  init?(value: UnsafeRawBufferPointer) {
    guard
      let body = SealedValue.open(value, version: JobRow.formatVersion, seed: JobRow.seed)
    else { return nil }
    self.init(body: body)
  }

  private init?(body: UnsafeRawBufferPointer) {
    var reader = PackedReader(body)
    guard let createdAt = reader.integer(Int64.self), let low = reader.integer(UInt64.self),
      let high = reader.integer(UInt64.self), let job = reader.string(),
      let topic = reader.string(), let fields = reader.integer(UInt16.self)
    else { return nil }
    var keyFields: [String] = []
    for _ in 0..<fields {
      guard let field = reader.string() else { return nil }
      keyFields.append(field)
    }
    guard let gap = reader.integer(Int64.self), let scope = reader.string(),
      let idFormat = reader.string(), let split = reader.integer(Int64.self),
      let dropsBots = reader.integer(UInt8.self), dropsBots <= 1, reader.isAtEnd
    else { return nil }
    let fingerprint = Fingerprint(
      topic: topic, keyFields: keyFields, gap: gap, split: split, dropsBots: dropsBots == 1,
      scope: scope, idFormat: idFormat)
    self.init(
      identity: JobIdentity(job: job, fingerprint: fingerprint), hashSeed: (low, high),
      createdAt: createdAt)
  }

  /// - Throws: `.foreign` names every part that differs, with both values.
  func requireSame(_ wanted: JobIdentity, directory: String) throws(StateError) {
    var differences: [String] = []
    if identity.job != wanted.job {
      differences.append("job '\(identity.job)', not '\(wanted.job)'")
    }
    for (stored, given) in zip(identity.fingerprint.parts, wanted.fingerprint.parts)
    where stored.value != given.value {
      differences.append("\(stored.name) '\(stored.value)', not '\(given.value)'")
    }
    if differences.isEmpty { return }
    throw StateError.foreign(
      """
      the state in '\(directory)' was made with \(differences.joined(separator: "; ")). It is \
      untouched. Give the settings that it was made with, or another directory with --state.
      """)
  }
}
