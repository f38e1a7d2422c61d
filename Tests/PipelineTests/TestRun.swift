import Enrichment
import EventDecoding
import EventSources
import Pipeline
import Platform
import SessionModel
import Sinks
import StateStore
import TestSupport

/// A job over a log in memory into tables in memory, with a real state in a directory.
struct TestJob {
  var identity: JobIdentity
  var options = RunOptions()
  var stateOptions = StateOptions()
  var tables: [String: MemoryTable] = ["table": MemoryTable()]
  let directory: TemporaryDirectory

  init(gap: Microseconds, outOfOrderness: Microseconds) {
    directory = TemporaryDirectory()
    identity = JobIdentity(job: "visits", fingerprint: Fingerprint(topic: "visits", gap: gap))
    options.gap = gap
    options.outOfOrderness = outOfOrderness
    options.idleTimeout = nil
    options.quietClose = nil
    options.maxFutureSkew = nil
    options.maxDrift = nil
    options.isBounded = true
    options.checkpointInterval = 0
    options.decoding.timeUnit = .microseconds
  }

  var state: String { directory.path + "/state" }

  /// One process's life.
  func run(
    _ source: any EventSource, stop: StopRequest = StopRequest(), owner: UInt8 = 1,
    sides: [SideToOpen] = [], geography: GeographyOrigin = .source(NoGeography()),
    notice: @escaping (String) -> Void = { _ in },
    firstRecord: @escaping () -> Void = {}
  ) throws -> RunSummary {
    let store = try StateStore.open(
      directory: state, identity: identity, options: stateOptions)
    let sinks = tables.sorted { $0.key < $1.key }.map { name, table in
      SinkToOpen(
        sink: MemorySink(table), name: name, url: "memory:" + name, identity: identity,
        owner: OwnerID(random: [UInt8](repeating: owner, count: 16)), adopt: false,
        acceptMissingRows: options.acceptMissingRows.contains(name))
    }
    return try Run(
      options: options, store: store, source: source, sinks: sinks, sides: sides,
      geography: geography, stop: stop,
      observer: RunObserver(notice: notice, progress: { _, _ in }, firstRecord: firstRecord)
    ).run()
  }

  /// The state as it lies on the disk.
  func saveState() throws -> [UInt8] { try Files.read(state + "/data.mdb") }

  /// Puts an older copy in place of the state; nil deletes it.
  func restoreState(_ copy: [UInt8]?) throws {
    TemporaryDirectory.remove(state)
    guard let copy else { return }
    try Files.makeDirectory(state, mode: 0o700)
    try Files.replace(state + "/data.mdb", with: copy)
  }
}
