import EventSources
import Pipeline
import Platform
import SessionModel
import StateStore
import TestSupport

/// One seed: a log, and processes that live and die on it, one after the other and sometimes two
/// at a time, each with the real run, state and deliveries.
package final class Simulation {
  /// What came of a seed.
  package struct Outcome: Sendable {
    /// What is wrong; nil for nothing.
    package var finding: String?
    package var coverage: Coverage
    /// Equal where all that was chosen and done is equal.
    package var digest: UInt64
  }

  /// A state directory and what it must hold.
  private final class State {
    let path: String
    let history: HistoryBox
    var oracle: Oracle

    init(path: String, history: History, oracle: Oracle) {
      self.path = path
      self.history = HistoryBox(history)
      self.oracle = oracle
    }
  }

  private struct Copy {
    var path: String
    var history: History
    var oracle: Oracle
  }

  private let world: World
  private let settings: Settings
  private let log: SimulatedLog
  private let directory: String
  private let tables: [SimulatedTable]
  private let identity: JobIdentity
  private var state: State
  private var copies: [Copy] = []
  private var processes = 0
  private var states = 0
  private var visible: [Int]
  private var partitions: Int
  /// Whether some table may hold rows of another history than the state's.
  private var hasDiverged = false

  /// - Parameter directory: for states and copies; it is the caller's to remove.
  package static func run(seed: UInt64, directory: String) -> Outcome {
    let simulation = Simulation(seed: seed, directory: directory)
    simulation.run()
    let world = simulation.world
    for table in simulation.tables { world.note(table.rows.count) }
    return Outcome(finding: world.finding, coverage: world.coverage, digest: world.digest)
  }

  private init(seed: UInt64, directory: String) {
    let world = World(seed: seed)
    let settings = Settings(&world.random)
    log = SimulatedLog(&world.random, settings.spans)
    self.world = world
    self.settings = settings
    self.directory = directory
    tables = (0..<settings.tables).map { _ in SimulatedTable(world) }
    identity = JobIdentity(
      job: "visits", fingerprint: Fingerprint(topic: "visits", gap: settings.spans.gap))
    let history = History()
    state = State(
      path: directory + "/0", history: history, oracle: Oracle(history, log, settings.spans))
    visible = log.partitions.map {
      settings.hasClocks ? world.random.below($0.count + 1) : $0.count
    }
    partitions =
      settings.hasClocks ? 1 + world.random.below(log.partitions.count) : log.partitions.count
    world.stallRate = settings.stallRate
    for table in tables { table.failureRate = settings.sinkFailureRate }
  }

  private func run() {
    for life in 1...settings.lives where world.finding == nil {
      let isLast = life == settings.lives
      live(on: state, isLast: isLast, mayMeet: !isLast)
      if !isLast { replaceState() }
    }
    if world.finding == nil { checkEnd() }
  }

  // MARK: - One life

  /// - Parameter mayMeet: whether a second process may take over its tables.
  private func live(on state: State, isLast: Bool, mayMeet: Bool) {
    processes += 1
    world.coverage.countLife()
    let process = SimulatedProcess(world, number: processes, plan: isLast ? nil : crashPlan())
    state.history.value.truncate()
    var failure: RunFailure?
    do throws(RunFailure) {
      try run(process, on: state, isLast: isLast, mayMeet: mayMeet)
    } catch {
      failure = error
    }
    world.removeWorkers(of: process)
    if world.finding != nil { return }
    state.oracle = Oracle(state.history.value, log, settings.spans)
    judge(failure, of: process, state.oracle, isLast: isLast)
    checkRows(of: process, state.oracle, isComplete: isLast)
  }

  private func crashPlan() -> (point: CrashPoint, after: Int)? {
    if world.random.oneIn(4) { return nil }
    var point = world.random.pick(CrashPoint.allCases)
    // Flushes are rare: where they can come, crashes behind them are more frequent. At the end of a
    // process some closed sessions may have their rows, while others wait for the next one.
    if settings.hasClocks, world.random.oneIn(4) { point = .finishing }
    if settings.closesQuietly, world.random.oneIn(5) { point = .flushed }
    return (point, 1 + world.random.below(world.random.pick([1, 4, 12])))
  }

  private func run(
    _ process: SimulatedProcess, on state: State, isLast: Bool, mayMeet: Bool
  ) throws(RunFailure) {
    let store = try open(state, process)
    if let difference = state.oracle.difference(from: store, tables: tables) {
      return world.report(difference)
    }
    state.history.value.begin(
      History.Start(process: process.number, sinks: store.recovered.sinks))
    process.pass(.stateOpened)
    if process.isDead { return }
    let stop = StopRequest()
    let plan = sourcePlan(isLast: isLast)
    let source = SimulatedSource(
      process, log: log, plan: plan, stop: stop, history: state.history)
    defer { visible = source.visible }
    let meeting = mayMeet && world.random.oneIn(8) ? 1 + world.random.below(20) : 0
    source.onCall = { [unowned self] call in
      if call == meeting { meet(state, store) }
      if copies.count < 3, world.random.oneIn(25) { copy(state, store) }
    }
    let run = try Run(
      options: settings.options(&world.random, isBounded: plan.isBounded, isLast: isLast),
      store: store, source: source, sinks: sinks(of: process), stop: stop,
      observer: observer(of: process, state.history, source), host: process)
    process.pass(.recovered)
    if process.isDead { return }
    _ = try run.run()
  }

  private func open(_ state: State, _ process: SimulatedProcess) throws(RunFailure) -> StateStore {
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

  private func sourcePlan(isLast: Bool) -> SimulatedSource.Plan {
    var plan = SimulatedSource.Plan()
    plan.isBounded = isLast || world.random.oneIn(3)
    if isLast {
      visible = log.partitions.map(\.count)
      partitions = log.partitions.count
    }
    plan.visible = visible
    plan.partitions = partitions
    if !plan.isBounded || (!isLast && world.random.oneIn(3)) {
      plan.stopAtCall = 2 + world.random.below(world.random.pick([20, 60, 120]))
    }
    plan.batchRecords = world.random.pick([1, 3, 30])
    plan.growthRate = world.random.pick([0, 3, 30])
    plan.delayRate = settings.delayRate
    plan.failRate = settings.failRate
    return plan
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
      notice: { if $0.hasPrefix("reading pauses") { world.coverage.count(.readingPaused) } },
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

  // MARK: - Between lives, and two at a time

  private func copy(_ state: State, _ store: StateStore) {
    if let copy = makeCopy(of: state, store) { copies.append(copy) }
  }

  private func makeCopy(of state: State, _ store: StateStore) -> Copy? {
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
    return Copy(path: path, history: history, oracle: Oracle(history, log, settings.spans))
  }

  /// An older copy takes the state's place, or nothing does.
  private func replaceState() {
    if world.oneIn(12, .stateLost) { state = newState() }
    guard !copies.isEmpty, world.oneIn(6, .stateRestored) else { return }
    state = restored(world.random.pick(copies))
  }

  private func newState() -> State {
    hasDiverged = true
    states += 1
    let history = History()
    return State(
      path: directory + "/\(states)", history: history,
      oracle: Oracle(history, log, settings.spans))
  }

  private func restored(_ copy: Copy) -> State {
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

  /// A second process takes the tables over while the first one lives, on a copy of its state or
  /// on none. The next process goes on with either.
  private func meet(_ older: State, _ store: StateStore) {
    world.coverage.count(.secondOwner)
    let second: State
    if world.random.oneIn(2), let copy = makeCopy(of: older, store) {
      second = restored(copy)
    } else {
      second = newState()
    }
    live(on: second, isLast: false, mayMeet: false)
    if world.random.oneIn(2) { state = second }
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

  private func checkEnd() {
    let oracle = state.oracle
    var differences = Differences()
    differences.require(
      oracle.book.counters.recordsRead, UInt64(log.partitions.joined().count),
      "records read at the end")
    differences.require(oracle.open.count, 0, "sessions open at the end")
    for table in tables {
      let rows = table.rows.map(\.bytes)
      let isPure = !settings.hasClocks
      if isPure { differences.require(rows, log.batchRows(settings.spans), "rows of a batch job") }
      if isPure || !hasDiverged { differences.require(rows, oracle.closed, "rows of a table") }
    }
    if let first = differences.first { return world.report(first) }
    checkState(oracle)
  }

  private func checkState(_ oracle: Oracle) {
    do throws(StateError) {
      let store = try StateStore.open(directory: state.path, identity: identity)
      if let difference = oracle.difference(from: store, tables: tables) {
        world.report("at the end: " + difference)
      }
      // They stay while a table that has them all by the state's account has not answered: it may
      // have been restored from a backup.
      let allAnswered = tables.allSatisfy { $0.claims.contains { $0.process == processes } }
      if allAnswered, store.recovered.outboxRows != 0 {
        world.report("rows are left in the outbox")
      }
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
