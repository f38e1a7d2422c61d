import Pipeline
import SessionModel
import Sinks
import TestSupport

/// A table that outlives the processes which write to it.
final class SimulatedTable {
  struct Row {
    var bytes: [UInt8]
    var position: RowPosition
    /// The process that wrote it.
    var writer: Int
  }

  /// A process made the table its own.
  struct Claim {
    var process: Int
    /// The position that it found.
    var found: RowPosition?
  }

  private(set) var rows: [Row] = []
  private(set) var claims: [Claim] = []
  /// Once in so many writes fails in each of three ways; 0 for never.
  var failureRate = 0
  private var downUntil: Int64 = 0
  private let world: World

  init(_ world: World) { self.world = world }

  /// The name of the sink that writes to it.
  static func name(_ index: Int) -> String { "table\(index)" }

  var position: RowPosition? { rows.last?.position }

  func open(_ process: SimulatedProcess, _ claim: SinkClaim) throws(SinkError) -> RowPosition? {
    try requireUp()
    if claim == .first {
      claims.append(Claim(process: process.number, found: position))
    } else {
      try requireOwner(process)
    }
    return position
  }

  func write(
    _ process: SimulatedProcess, after: RowPosition?, _ batch: RowBatch
  ) throws(SinkError) {
    try requireUp()
    try requireOwner(process)
    if position != after { throw .moved("at another row") }
    if world.oneIn(failureRate, .sinkFailedBeforeWrite) { throw .unavailable("before the write") }
    batch.forEachRow { row in
      if let position, row.position <= position { process.report("rows do not come in order") }
      rows.append(
        Row(bytes: Array(row.bytes), position: row.position, writer: process.number))
    }
    if world.oneIn(failureRate, .sinkFailedBehindWrite) { throw .unavailable("behind the write") }
  }

  private func requireUp() throws(SinkError) {
    if world.oneIn(failureRate, .sinkWentDown) {
      downUntil = world.now + world.random.pick([50_000, 500_000, 4 * .perSecond])
    }
    if world.now < downUntil { throw .unavailable("down") }
  }

  private func requireOwner(_ process: SimulatedProcess) throws(SinkError) {
    if claims.last?.process == process.number { return }
    world.coverage.count(.olderOwnerRefused)
    process.wasRefused = true
    throw .takenOver("by another")
  }
}

/// One process's way to a table, as strict as the contract.
final class SimulatedSink: Sink {
  private let process: SimulatedProcess
  private let table: SimulatedTable

  init(_ process: SimulatedProcess, _ table: SimulatedTable) {
    self.process = process
    self.table = table
  }

  func open(
    _ claimant: SinkClaimant, acknowledged: RowPosition?
  ) throws(SinkError) -> RowPosition? {
    process.pass(.beforeClaim)
    try requireLife()
    let found = try attempt { () throws(SinkError) in
      try table.open(process, claimant.claim)
    }
    process.pass(.claimed)
    try requireLife()
    return found
  }

  func write(after: RowPosition?, rows: RowBatch) throws(SinkError) {
    process.pass(.beforeWrite)
    try requireLife()
    try attempt { () throws(SinkError) in try table.write(process, after: after, rows) }
    process.pass(.written)
    try requireLife()
    process.effect = .acknowledged
  }

  func close() {}

  /// A failed call is tried again after a pause of up to 5 s.
  private func attempt<Result>(_ call: () throws(SinkError) -> Result) throws(SinkError) -> Result {
    do throws(SinkError) {
      return try call()
    } catch {
      process.delay(until: process.monotonic + 5 * .perSecond)
      throw error
    }
  }

  private func requireLife() throws(SinkError) {
    if process.isDead { throw .unavailable("dead") }
  }
}
