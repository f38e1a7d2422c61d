/// What a drill does to the process or to what it depends on.
package enum Fault: String, CaseIterable, Sendable {
  /// SIGKILL.
  case kill
  /// SIGTERM, and a new start.
  case stop
  /// One broker, or all of them, out of reach for a while.
  case brokerDown = "broker-down"
  /// Some partitions' leaders move to other brokers.
  case leaderChange = "leader-change"
  /// A sink that takes no rows for a while.
  case sinkDown = "sink-down"
  /// The disk of state and sinks is full for a while.
  case diskFull = "disk-full"
  /// SIGKILL, and the state is deleted.
  case stateLost = "state-lost"
  /// SIGKILL, and the state is replaced by an older copy.
  case stateOld = "state-old"

  /// Whether only the embedded cluster can be told to fail so.
  package var needsEmbeddedCluster: Bool { self == .brokerDown || self == .leaderChange }

  /// Whether the process is to live through it; a full disk it may.
  var isOutage: Bool {
    switch self {
    case .brokerDown, .leaderChange, .sinkDown, .diskFull: true
    case .kill, .stop, .stateLost, .stateOld: false
    }
  }

  /// The word for several of them.
  package var plural: String {
    switch self {
    case .kill: "kills"
    case .stop: "stops"
    case .brokerDown: "broker outages"
    case .leaderChange: "leader changes"
    case .sinkDown: "sink outages"
    case .diskFull: "full disks"
    case .stateLost: "lost states"
    case .stateOld: "old states"
    }
  }
}
