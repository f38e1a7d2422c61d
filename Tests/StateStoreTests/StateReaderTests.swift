import Glibc
import Platform
import SessionModel
import StateStore
import TestSupport
import Testing

@Suite struct StateReaderTests {
  let directory = TemporaryDirectory()

  private func task(keys: Int) throws -> TestTask {
    let task = try TestTask(directory.path)
    for number in 1...keys { task.set(Sample.record(number, time: 1), for: hash(number)) }
    try task.checkpoint()
    return task
  }

  private func hash(_ number: Int) -> KeyHash { Sample.hash(number) }

  @Test func `a dead state is read without a trace`() throws {
    let task = try task(keys: 3_000)
    for number in 1...2_500 { Sample.appendRow(number, to: &task.draft.rows) }
    for number in 1...500 { task.remove(hash(number)) }
    let state = try task.checkpoint()
    task.close()
    for name in ["lock.mdb", "owner.lock"] { try Files.remove(directory.path + "/" + name) }
    let before = try Files.read(directory.path + "/data.mdb")

    let reader = try StateReader.open(directory: directory.path)
    #expect(reader.identity == TestTask.identity)
    #expect(try reader.summary().state == state)
    var users: Set<[UInt8]> = []
    try reader.forEachRecord { users.insert($0.userID).inserted }
    #expect(users.count == 2_500)
    var rows: [Int] = []
    try reader.forEachOutboxRow {
      rows.append(Int($0.sessionEnd / 10))
      return true
    }
    #expect(rows == Array(1...2_500))
    #expect(try reader.verify() == [])
    #expect(try Files.names(in: directory.path) == ["data.mdb"])
    #expect(try Files.read(directory.path + "/data.mdb") == before)
  }

  @Test(arguments: [0, 100, 8_192, 16_512])
  func `a lock file that is cut off is taken for none, and left as it is`(bytes: Int) throws {
    try task(keys: 10).close()
    let file = directory.path + "/lock.mdb"
    #expect(truncate(file, bytes) == 0)
    let before = try Files.read(file)
    var users = 0
    try StateReader.open(directory: directory.path).forEachRecord { _ in
      users += 1
      return true
    }
    #expect(users == 10)
    #expect(try Files.read(file) == before)
  }

  @Test func `one key is found by its fields`() throws {
    let task = try TestTask(directory.path)
    let hasher = KeyHasher(seed: task.store.hashSeed)
    for number in 1...100 {
      let record = Sample.record(number, time: 1)
      task.set(record, for: record.key.withUnsafeBytes { hasher.hash($0) })
    }
    try task.checkpoint()
    let reader = try task.store.makeReader()
    for (user, found) in [("user-42", 1), ("user-101", 0)] {
      var records: [SessionRecord] = []
      try reader.forEachRecord(of: joinedKey(user.utf8, "10.0.0.1".utf8)) {
        records.append($0)
        return true
      }
      #expect(records.count == found)
      #expect(records.allSatisfy { $0.userID == Array(user.utf8) })
    }
  }

  @Test func `a consumer that has enough ends the reading`() throws {
    let task = try task(keys: 100)
    for number in 1...10 { Sample.appendRow(number, to: &task.draft.rows) }
    task.draft.late = (0..<10).map { Sample.side($0) }
    try task.checkpoint()
    let reader = try task.store.makeReader()
    var calls = [0, 0, 0]
    func stopAfter3(_ index: Int) -> Bool {
      calls[index] += 1
      return calls[index] < 3
    }
    try reader.forEachRecord { _ in stopAfter3(0) }
    try reader.forEachOutboxRow { _ in stopAfter3(1) }
    try reader.forEachRecord(of: .late) { _ in stopAfter3(2) }
    #expect(calls == [3, 3, 3])
  }

  @Test func `every key comes once while the writer moves them all`() throws {
    let task = try task(keys: 4_000)
    let reader = try task.store.makeReader()
    var users: [[UInt8]: Int] = [:]
    var moves = 0
    try reader.forEachRecord { record in
      users[record.userID, default: 0] += 1
      if users.count % 500 == 1 && moves < 8 {
        // All keys move, so that the segments that the reader has in hand are dropped.
        moves += 1
        for number in 1...4_000 {
          task.set(Sample.record(number, time: Microseconds(moves + 1)), for: hash(number))
        }
        do { try task.checkpoint() } catch { Issue.record(error) }
      }
      return true
    }
    #expect(moves == 8)
    #expect(users.count == 4_000 && users.values.allSatisfy { $0 == 1 })
  }

  @Test func `keys that go while they are read are passed over`() throws {
    let task = try task(keys: 2_000)
    let reader = try task.store.makeReader()
    var seen = 0
    try reader.forEachRecord { _ in
      seen += 1
      if seen == 1 {
        for number in 1...2_000 { task.remove(hash(number)) }
        do { try task.checkpoint() } catch { Issue.record(error) }
      }
      return true
    }
    // One slice was in hand already.
    #expect(seen >= 1 && seen <= 1_000)
    #expect(try task.store.makeReader().summary().segments == 1)
  }

  @Test func `rows that leave the outbox while it is read are passed over`() throws {
    let task = try TestTask(directory.path)
    for number in 1...5_000 { Sample.appendRow(number, to: &task.draft.rows) }
    try task.checkpoint()
    var numbers: [Int] = []
    try task.store.makeReader().forEachOutboxRow { row in
      numbers.append(Int(row.sessionEnd / 10))
      if numbers.count == 1 {
        task.draft.removeOutboxUpTo = Sample.position(3_000)
        do { try task.checkpoint() } catch { Issue.record(error) }
      }
      return true
    }
    #expect(numbers == Array(1...1_000) + Array(3_001...5_000))
  }
}
