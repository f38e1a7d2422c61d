import Pipeline
import SessionModel
import StateStore
import TestSupport

/// One seed: a log, and processes that live and die on it, one after the other and sometimes two
/// at a time.
package final class Simulation {
  /// What came of a seed.
  package struct Outcome: Sendable {
    /// What is wrong; nil for nothing.
    package var finding: String?
    package var coverage: Coverage
    /// Equal where all that was chosen and done is equal.
    package var digest: UInt64
  }

  private let world: World
  private let settings: Settings
  private let log: SimulatedLog
  private let stage: Stage
  private var state: TaskState
  private var copies: [TaskState.Copy] = []
  private var visible: [Int]
  private var partitions: Int
  /// Whether some table may hold rows of another history than the state's.
  private var hasDiverged = false

  /// - Parameter directory: for states and copies; it is the caller's to remove.
  package static func run(seed: UInt64, directory: String) -> Outcome {
    let simulation = Simulation(seed: seed, directory: directory)
    simulation.run()
    let world = simulation.world
    for table in simulation.stage.tables { world.note(table.rows.count) }
    return Outcome(finding: world.finding, coverage: world.coverage, digest: world.digest)
  }

  private init(seed: UInt64, directory: String) {
    let world = World(seed: seed)
    let settings = Settings(&world.random, seed: seed)
    let log = SimulatedLog(&world.random, settings.spans)
    self.world = world
    self.settings = settings
    self.log = log
    stage = Stage(
      world, log, settings.spans, tables: settings.tables, dropsBots: settings.dropsBots,
      directory: directory)
    state = stage.newState()
    visible = log.partitions.map {
      settings.hasClocks ? world.random.below($0.count + 1) : $0.count
    }
    partitions =
      settings.hasClocks ? 1 + world.random.below(log.partitions.count) : log.partitions.count
    world.stallRate = settings.stallRate
    for table in stage.tables { table.failureRate = settings.sinkFailureRate }
  }

  private func run() {
    for life in 1...settings.lives where world.finding == nil {
      let isLast = life == settings.lives
      live(on: state, isLast: isLast, mayMeet: !isLast)
      if !isLast { replaceState() }
    }
    if world.finding == nil {
      stage.checkEnd(state, isPure: !settings.hasClocks, isWhole: !hasDiverged)
    }
  }

  // MARK: - One life

  /// - Parameter mayMeet: whether a second process may take over its tables.
  private func live(on state: TaskState, isLast: Bool, mayMeet: Bool) {
    let crash = isLast ? nil : crashPlan()
    let end = stage.live(on: state, crash: crash, isLast: isLast) { store in
      let source = sourcePlan(isLast: isLast)
      let meeting = mayMeet && world.random.oneIn(8) ? 1 + world.random.below(20) : 0
      let options = settings.options(
        &world.random, isBounded: source.isBounded, isLast: isLast)
      return Stage.Plan(source: source, options: options, geography: settings.geography) {
        [unowned self] call in
        if call == meeting { meet(state, store) }
        if copies.count < 3, world.random.oneIn(25) { copy(state, store) }
      }
    }
    visible = end ?? visible
  }

  private func crashPlan() -> CrashPlan? {
    if world.random.oneIn(4) { return nil }
    var point = world.random.pick(CrashPoint.allCases)
    // Flushes are rare: where they can come, crashes behind them are more frequent. At the end of a
    // process some closed sessions may have their rows, while others wait for the next one.
    if settings.hasClocks, world.random.oneIn(4) { point = .finishing }
    if settings.closesQuietly, world.random.oneIn(5) { point = .flushed }
    return .at(point, visit: 1 + world.random.below(world.random.pick([1, 4, 12])))
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

  // MARK: - Between lives, and two at a time

  private func copy(_ state: TaskState, _ store: StateStore) {
    if let copy = stage.copy(of: state, store) { copies.append(copy) }
  }

  /// An older copy takes the state's place, or nothing does.
  private func replaceState() {
    if world.oneIn(12, .stateLost) { state = newState() }
    guard !copies.isEmpty, world.oneIn(6, .stateRestored) else { return }
    state = restored(world.random.pick(copies))
  }

  private func newState() -> TaskState {
    hasDiverged = true
    return stage.newState()
  }

  private func restored(_ copy: TaskState.Copy) -> TaskState {
    hasDiverged = true
    return stage.restored(copy)
  }

  /// A second process takes the tables over while the first one lives, on a copy of its state or
  /// on none. The next process goes on with either.
  private func meet(_ older: TaskState, _ store: StateStore) {
    world.coverage.count(.secondOwner)
    let second: TaskState
    if world.random.oneIn(2), let copy = stage.copy(of: older, store) {
      second = restored(copy)
    } else {
      second = newState()
    }
    live(on: second, isLast: false, mayMeet: false)
    if world.random.oneIn(2) { state = second }
  }
}
