import SessionModel
import StateStore
import TestSupport
import Testing

@Suite struct SessionLogTests {
  let directory = TemporaryDirectory()

  @Test func `the newest version of a key is the one that counts`() throws {
    let task = try TestTask(directory.path)
    for number in 1...10 { task.set(Sample.record(number, time: 1), for: Sample.hash(number)) }
    try task.checkpoint()
    task.set(Sample.record(3, time: 99), for: Sample.hash(3))
    try task.checkpoint()
    let records = task.records
    try task.reopen()
    #expect(task.records == records)
    #expect(task.place(of: Sample.hash(3))?.checkpoint == 2)
    #expect(task.place(of: Sample.hash(4))?.checkpoint == 1)
  }

  @Test func `a tombstone hides older versions until their segments are gone`() throws {
    let task = try TestTask(directory.path)
    for number in 1...3 { task.set(Sample.record(number, time: 1), for: Sample.hash(number)) }
    try task.checkpoint()
    task.remove(Sample.hash(2))
    try task.checkpoint()
    let second = try task.store.headers(ofSegment: 2)
    #expect(second == [HeaderEntry(hash: Sample.hash(2), place: .none, leastLast: 0)])
    let records = task.records
    try task.reopen()
    #expect(task.records == records)
    #expect(task.records[Sample.hash(2)] == nil)
  }

  @Test func `segments are dropped oldest first, once nothing in them is live`() throws {
    let task = try TestTask(directory.path)
    task.set(Sample.record(1, time: 1), for: Sample.hash(1))
    try task.checkpoint()
    task.set(Sample.record(2, time: 1), for: Sample.hash(2))
    try task.checkpoint()
    // Segment 2 holds nothing live any more, but 1 does.
    task.remove(Sample.hash(2))
    try task.checkpoint()
    #expect(try task.store.makeReader().summary().segments == 3)
    task.remove(Sample.hash(1))
    try task.checkpoint()
    #expect(try task.store.makeReader().summary().segments == 1)
    #expect(throws: StateError.self) { try task.store.headers(ofSegment: 3) }
    #expect(try task.store.headers(ofSegment: 4).count == 1)
    #expect(try task.store.verify() == [])
  }

  @Test func `records of all sizes keep their bytes, those above a chunk included`() throws {
    let task = try TestTask(directory.path)
    for number in 1...60 {
      let sessions = [1, 2, 40, 300][number % 4]
      task.set(
        Sample.record(number, time: 1, sessions: sessions, urlBytes: (number * 37) % 2_048),
        for: Sample.hash(number))
    }
    let sizes = task.records.values.map { record in
      var packed: [UInt8] = []
      record.append(to: &packed)
      return packed.count
    }
    #expect(sizes.max()! > 10 * 65_520 / 2)
    try task.checkpoint()
    let records = task.records
    try task.reopen()
    #expect(task.records == records)
    #expect(try task.store.verify() == [])
  }

  @Test func `a log that outgrows its live records is cleaned`() throws {
    let task = try TestTask(directory.path)
    // One key never changes again, so that nothing is dropped without cleaning.
    task.set(Sample.record(0, time: 1), for: Sample.hash(0))
    try task.checkpoint()
    var longest = 0
    for round in 1...100 {
      for number in 1...3 {
        task.set(
          Sample.record(number, time: Microseconds(round), sessions: 150, urlBytes: 2_000),
          for: Sample.hash(number))
      }
      try task.checkpoint()
      longest = max(longest, task.ledger.logBytes)
    }
    #expect(task.place(of: Sample.hash(0))!.checkpoint > 1)
    #expect(longest > SegmentLedger.floorBytes && longest < SegmentLedger.floorBytes * 5 / 4)
    #expect(try task.store.makeReader().summary().logBytes == task.ledger.logBytes)
    #expect(try task.store.verify() == [])
  }

  @Test func `headers come group by group, and each key's newest first`() throws {
    let task = try TestTask(directory.path)
    for numbers in [1...5_000, 4_000...6_000, 1...1] {
      for number in numbers { task.set(Sample.record(number, time: 1), for: Sample.hash(number)) }
      try task.checkpoint()
    }
    try task.reopen()
    var checkpoints: [KeyHash: [UInt64]] = [:]
    var group = 0
    try task.store.forEachHeader { entry in
      #expect(entry.hash.group >= group)
      group = entry.hash.group
      checkpoints[entry.hash, default: []].append(entry.place.checkpoint)
    }
    #expect(checkpoints.count == 6_000)
    #expect(checkpoints[Sample.hash(1)] == [3, 1])
    #expect(checkpoints[Sample.hash(2)] == [1])
    #expect(checkpoints[Sample.hash(4_500)] == [2, 1])
    #expect(checkpoints[Sample.hash(6_000)] == [2])
  }

  @Test func `a record read under another key's hash is refused`() throws {
    let task = try TestTask(directory.path)
    for number in 1...2 { task.set(Sample.record(number, time: 1), for: Sample.hash(number)) }
    try task.checkpoint()
    let place = task.place(of: Sample.hash(1))!
    var elsewhere = task.place(of: Sample.hash(2))!
    elsewhere.chunk += 1
    for (place, hash) in [(place, Sample.hash(2)), (elsewhere, Sample.hash(2))] {
      let error = #expect(throws: StateError.self) {
        try task.store.withRecord(place, hash: hash) { $0.count }
      }
      #expect(error?.exitCode == .corruptState)
    }
  }
}
