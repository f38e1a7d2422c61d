package import SessionModel

extension StateReader {
  /// The header log is read in so many parts, so that neither memory nor a snapshot grows with it.
  private static let parts = 16
  /// How often the records of one part are looked for before the reader gives up.
  private static let attempts = 100

  /// Calls `body` with the sessions of every key, in no order, until it answers false.
  ///
  /// A key comes at most once. One that has sessions from the beginning of the call to its end
  /// comes for certain, with the sessions that it had at some moment in between.
  ///
  /// - Parameter key: only this key: its fields, joined as `KeyLayout` says.
  /// - Throws: `.corrupt`; `.inputOutput` if the state moved on too fast to be read.
  package func forEachRecord(
    of key: [UInt8]? = nil, _ body: (SessionRecord) -> Bool
  ) throws(StateError) {
    if let key {
      let hasher = KeyHasher(seed: hashSeed)
      let hash = key.withBytes { hasher.hash($0) }
      _ = try readPart(hash.group..<(hash.group + 1), only: [hash], body)
      return
    }
    let width = HeaderChunk.groups / StateReader.parts
    for part in 0..<StateReader.parts {
      let groups = (part * width)..<((part + 1) * width)
      guard try readPart(groups, only: nil, body) else { return }
    }
  }

  /// - Returns: whether to go on.
  private func readPart(
    _ groups: Range<Int>, only wanted: Set<KeyHash>?, _ body: (SessionRecord) -> Bool
  ) throws(StateError) -> Bool {
    var wanted = wanted
    for _ in 0..<StateReader.attempts {
      let entries = try newestEntries(groups, only: wanted)
      var missed: Set<KeyHash> = []
      var next = 0
      while next < entries.count {
        var slice: [SessionRecord] = []
        try copyRecords(entries, from: &next, into: &slice, missed: &missed)
        for record in slice where !body(record) { return false }
      }
      if missed.isEmpty { return true }
      // Their segments were dropped meanwhile, so they have newer records, or none any more.
      wanted = missed
    }
    throw StateError.inputOutput(
      """
      the state in '\(directory)' changes faster than it can be read. It is safe. Try again, or \
      read a copy.
      """)
  }

  private func newestEntries(
    _ groups: Range<Int>, only wanted: Set<KeyHash>?
  ) throws(StateError) -> [HeaderEntry] {
    try environment.read { (transaction) throws(StateError) in
      var seen: Set<KeyHash> = []
      var live: [HeaderEntry] = []
      let log = try HeaderLog(transaction, groups: groups)
      for group in groups {
        try log.forEachEntry(inGroup: group) { entry in
          if let wanted, !wanted.contains(entry.hash) { return }
          guard seen.insert(entry.hash).inserted, !entry.place.isNone else { return }
          live.append(entry)
        }
      }
      return live
    }
  }

  /// Copies one slice of records out of one snapshot.
  private func copyRecords(
    _ entries: [HeaderEntry], from next: inout Int, into slice: inout [SessionRecord],
    missed: inout Set<KeyHash>
  ) throws(StateError) {
    try environment.read { (transaction) throws(StateError) in
      var bytes = 0
      while next < entries.count, slice.count < StateReader.sliceRows,
        bytes < StateReader.sliceBytes
      {
        let entry = entries[next]
        next += 1
        bytes += Int(entry.place.length)
        guard let chunk = try transaction.get(.data, entry.place.chunk) else {
          if try transaction.get(.segments, entry.place.checkpoint) != nil {
            throw StateError.damaged(directory, "the record at \(entry.place) is missing")
          }
          missed.insert(entry.hash)
          continue
        }
        guard let packed = RecordEnvelope.open(chunk, entry.place, hash: entry.hash),
          let record = SessionRecord(packed: packed)
        else { throw StateError.damaged(directory, "the record at \(entry.place) is broken") }
        slice.append(record)
      }
    }
  }
}
