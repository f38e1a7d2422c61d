import Platform
import SessionModel
import StateStore
import TestSupport
import Testing

/// The map of the state's file, and what happens where it ends.
@Suite struct MapTests {
  let directory = TemporaryDirectory(inMemory: true)

  private func size() throws -> Int64 {
    try FileDescriptor.open(directory.path + "/data.mdb", 0).size()
  }

  /// Adds about 6 MiB of records.
  private func grow(_ task: TestTask, round: Int) throws {
    for number in 0..<100 {
      task.set(
        Sample.record(round * 100 + number, time: 1, sessions: 30, urlBytes: 2_000),
        for: Sample.hash(round * 100 + number))
    }
    try task.checkpoint()
  }

  @Test func `a file grows in its map for as long as one process runs on it`() throws {
    let task = try TestTask(directory.path)
    try grow(task, round: 0)
    let before = try size()
    for round in 1..<16 { try grow(task, round: round) }
    #expect(try size() > before + 64 << 20)
    #expect(try task.store.verify() == [])
  }

  @Test func `a map that cannot grow stops the run at its end, and more of it goes on from there`()
    throws
  {
    var options = StateOptions()
    options.mapBytes = 40 << 20
    let task = try TestTask(directory.path, options: options)
    var rounds = 0
    let error = try #require(
      throws: StateError.self,
      performing: {
        while rounds < 100 {
          try grow(task, round: rounds)
          rounds += 1
        }
      })
    #expect(rounds >= 1)
    #expect(error.exitCode == .inputOutput)
    #expect(error.description.contains("outgrown the address space"))
    #expect(error.description.contains("ulimit -v"))
    task.close()

    let later = try TestTask(directory.path)
    #expect(later.state.checkpoint == UInt64(rounds))
    #expect(later.records.count == rounds * 100)
    try grow(later, round: rounds)
    #expect(try later.store.verify() == [])
  }
}
