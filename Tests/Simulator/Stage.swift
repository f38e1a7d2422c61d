import Enrichment
import EventSources
import Pipeline
import Platform
import SessionModel
import StateStore
import TestSupport

/// What the processes of a simulation share, and how one of them lives and is checked: on the real
/// run, state and deliveries.
final class Stage {
  let world: World
  let log: SimulatedLog
  let spans: SimulatedLog.Spans
  let tables: [SimulatedTable]
  private let dropsBots: Bool
  private let directory: String
  private let identity: JobIdentity
  private var processes = 0
  private var states = 0

  /// What is chosen for a process once its state is open.
  struct Plan {
    var source: SimulatedSource.Plan
    var options: RunOptions
    var geography: RandomNumbers?
    /// Called at each call of the source for records, with its number.
    var onCall: (Int) -> Void = { _ in }
  }

  /// - Parameters:
  ///   - dropsBots: so do all processes.
  ///   - directory: for states and copies; it is the caller's to remove.
  init(
    _ world: World, _ log: SimulatedLog, _ spans: SimulatedLog.Spans, tables: Int,
    dropsBots: Bool = false, directory: String
  ) {
    self.world = world
    self.log = log
    self.spans = spans
    self.dropsBots = dropsBots
    self.directory = directory
    self.tables = (0..<tables).map { _ in SimulatedTable(world) }
    identity = JobIdentity(
      job: "visits",
      fingerprint: Fingerprint(topic: "visits", gap: spans.gap, dropsBots: dropsBots))
  }

  // MARK: - States

  func newState() -> TaskState {
    states += 1
    let history = History()
    return TaskState(
      path: directory + "/\(states)", history: history, oracle: oracle(of: history))
  }

  private func oracle(of history: History) -> Oracle {
    Oracle(history, log, spans, dropsBots: dropsBots)
  }

  func copy(of state: TaskState, _ store: StateStore) -> TaskState.Copy? {
    states += 1
    let path = directory + "/copy\(states)"
    do throws(StateError) {
      try store.makeReader().copy(to: path)
    } catch {
      world.report("a state cannot be copied: \(error)")
      return nil
    }
    var history = state.history.value
    history.truncate()
    return TaskState.Copy(path: path, history: history, oracle: oracle(of: history))
  }

  func restored(_ copy: TaskState.Copy) -> TaskState {
    let state = newState()
    state.history.value = copy.history
    state.oracle = copy.oracle
    do throws(SystemError) {
      try Files.makeDirectory(state.path, mode: 0o700)
      try Files.replace(state.path + "/data.mdb", with: try Files.read(copy.path))
    } catch {
      world.report("a copy cannot be put back: \(error)")
    }
    return state
  }

  // MARK: - One life

  /// One process, from its start to its end or death, and all checks behind it.
  ///
  /// - Parameters:
  ///   - crash: when it dies; nil for never.
  ///   - isLast: it has to bring every row to its table.
  ///   - onPass: called at each point that it passes.
  ///   - plan: called once the state is open.
  /// - Returns: what the log held when it ended; nil where it read nothing.
  @discardableResult
  func live(
    on state: TaskState, crash: CrashPlan?, isLast: Bool,
    onPass: @escaping () -> Void = {}, plan: (StateStore) -> Plan
  ) -> [Int]? {
    processes += 1
    world.coverage.countLife()
    let process = SimulatedProcess(world, number: processes, plan: crash)
    process.onPass = onPass
    state.history.value.truncate()
    var failure: RunFailure?
    var visible: [Int]?
    do throws(RunFailure) {
      try run(process, on: state, plan, &visible)
    } catch {
      failure = error
    }
    world.removeWorkers(of: process)
    if world.finding != nil { return visible }
    state.oracle = oracle(of: state.history.value)
    judge(failure, of: process, state.oracle, isLast: isLast)
    checkRows(of: process, state.oracle, isComplete: isLast)
    return visible
  }

  private func run(
    _ process: SimulatedProcess, on state: TaskState, _ makePlan: (StateStore) -> Plan,
    _ visible: inout [Int]?
  ) throws(RunFailure) {
    let store = try open(state, process)
    if let difference = state.oracle.difference(from: store, tables: tables) {
      return world.report(difference)
    }
    state.history.value.begin(
      History.Start(process: process.number, sinks: store.recovered.sinks))
    process.pass(.stateOpened)
    if process.isDead { return }
    let plan = makePlan(store)
    let stop = StopRequest()
    let source = SimulatedSource(
      process, log: log, plan: plan.source, stop: stop, history: state.history)
    defer { visible = source.visible }
    source.onCall = plan.onCall
    let service = plan.geography.map { SimulatedGeography(world, random: $0) }
    let run = try Run(
      options: plan.options, store: store, source: source, sinks: sinks(of: process),
      geography: service.map { .service($0) } ?? .source(NoGeography()), stop: stop,
      observer: observer(of: process, state.history, source), host: process)
    process.pass(.recovered)
    if process.isDead { return }
    _ = try run.run()
  }

  private func open(
    _ state: TaskState, _ process: SimulatedProcess
  ) throws(RunFailure) -> StateStore {
    var options = StateOptions()
    options.cleaningFloor = 2_000
    let history = state.history
    options.beforeStep = { (step, checkpoint) throws(StateError) in
      process.pass(.committing(step))
      if process.isDead { throw .inputOutput("dead") }
      if step == .commit {
        history.value.commit(checkpoint)
        process.world.coverage.countCheckpoint()
        process.effect = .committed
      }
    }
    do throws(StateError) {
      return try StateStore.open(directory: state.path, identity: identity, options: options)
    } catch {
      throw RunFailure(error)
    }
  }

  private func sinks(of process: SimulatedProcess) -> [SinkToOpen] {
    tables.enumerated().map { index, table in
      SinkToOpen(
        sink: SimulatedSink(process, table), name: SimulatedTable.name(index),
        url: "memory:\(index)",
        identity: identity, owner: OwnerID(text: "\(process.number)"), adopt: false,
        acceptMissingRows: false)
    }
  }

  private func observer(
    of process: SimulatedProcess, _ history: HistoryBox, _ source: SimulatedSource
  ) -> RunObserver {
    let world = world
    return RunObserver(
      notice: { notice in
        if notice.hasPrefix("reading pauses") { world.coverage.count(.readingPaused) }
        if notice.contains("pauses"), notice.contains("geography") {
          world.coverage.count(.rowAwaitedGeography)
        }
        if notice.contains("leaves what waits") {
          world.coverage.count(.endedAwaitingGeography)
          process.lacksGeography = true
        }
      },
      progress: { _, _ in },
      decided: { decision in
        switch decision {
        case .idle(let isIdle, let partition):
          world.coverage.count(isIdle ? .becameIdle : .returnedFromIdle)
          history.value.add(.idle(isIdle, partition: Int(partition)))
        case .retired(let partition):
          world.coverage.count(.retired)
          history.value.add(.retired(partition: Int(partition)))
        case .flushed:
          world.coverage.count(Disturbance.flushed)
          history.value.add(.flushed)
          source.growsNow = world.random.oneIn(2)
          process.pass(.flushed)
        }
      })
  }

  // MARK: - Checks

  private func judge(
    _ failure: RunFailure?, of process: SimulatedProcess, _ oracle: Oracle, isLast: Bool
  ) {
    if process.isDead { return }
    if process.wasRefused {
      if failure?.exitCode != .takenOver {
        world.report("a process lost its table and ended with \(failure?.description ?? "success")")
      }
      return
    }
    guard let failure else {
      if process.lacksGeography { return }
      if tables.contains(where: { $0.lacks(oracle) }) {
        world.report("the run ended well, and a table lacks rows")
      }
      return
    }
    guard failure.exitCode == .unavailable, !isLast else {
      return world.report("the run ended: \(failure)")
    }
    world.coverage.count(.endedWithoutSink)
    if process.delayedUntil < process.lastReadAt {
      world.report("the run ended without a sink, and none was down: \(failure)")
    }
  }

  /// What the process wrote must be what its state says, from where the table stood.
  private func checkRows(of process: SimulatedProcess, _ oracle: Oracle, isComplete: Bool) {
    for table in tables {
      guard let claim = table.claims.last(where: { $0.process == process.number }) else {
        continue
      }
      let written = table.rows.filter { $0.writer == process.number }.map(\.bytes)
      let due = oracle.closed.filter { row in
        claim.found.map { SessionRow.position(ofEncoded: row) > $0 } ?? true
      }
      var differences = Differences()
      differences.require(
        written, isComplete ? due : Array(due.prefix(written.count)), "rows of a table")
      if let first = differences.first { world.report(first) }
    }
  }

  /// The end of a simulation: everything was read, closed and written.
  ///
  /// - Parameters:
  ///   - isPure: no clock decided anything: the tables hold the rows of a batch job.
  ///   - isWhole: no table holds rows of another history than the state's.
  func checkEnd(_ state: TaskState, isPure: Bool, isWhole: Bool) {
    let oracle = state.oracle
    var differences = Differences()
    differences.require(
      oracle.book.counters.recordsRead, UInt64(log.partitions.joined().count),
      "records read at the end")
    differences.require(oracle.open.count, 0, "sessions open at the end")
    for table in tables {
      let rows = table.rows.map(\.bytes)
      if isPure {
        let expected = log.batchRows(spans).filter { !dropsBots || !SessionRow.isBot(encoded: $0) }
        differences.require(rows, expected, "rows of a batch job")
      }
      if isPure || isWhole { differences.require(rows, oracle.closed, "rows of a table") }
    }
    if let first = differences.first { return world.report(first) }
    checkEnd(ofState: state.path, oracle)
  }

  private func checkEnd(ofState path: String, _ oracle: Oracle) {
    do throws(StateError) {
      let store = try StateStore.open(directory: path, identity: identity)
      if let difference = oracle.difference(from: store, tables: tables) {
        world.report("at the end: " + difference)
      }
      if store.recovered.outboxRows != 0 { world.report("rows are left in the outbox") }
    } catch {
      world.report("the state cannot be opened: \(error)")
    }
  }
}

extension SimulatedTable {
  /// Whether a row that a state gives is not there yet.
  fileprivate func lacks(_ oracle: Oracle) -> Bool {
    guard let last = oracle.closed.last.map({ SessionRow.position(ofEncoded: $0) }) else {
      return false
    }
    return position.map { $0 < last } ?? true
  }
}

extension SimulatedLog {
  /// The rows of a batch job over the log without what its own partition makes late.
  fileprivate func batchRows(_ spans: Spans) -> [[UInt8]] {
    let onTime = partitions.flatMap { records in
      var greatest = Microseconds.never
      return records.compactMap { record -> LoggedEvent? in
        guard case .event(let event) = record.content else { return nil }
        defer { greatest = max(greatest, event.point.time) }
        return event.point.time >= greatest - spans.outOfOrderness ? event : nil
      }
    }
    return TestSupport.batchRows(onTime, gap: spans.gap)
  }
}
