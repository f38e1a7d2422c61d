import Glibc
import KafkaClient
import Platform
import SessionModel
import TestSupport
import Testing

/// An error that a broker answers to one kind of request.
struct BrokerFault: CustomTestStringConvertible, Sendable {
  var request: MockCluster.Request
  var code: Int32
  var moment: FaultDrill.Moment
  /// How many times in a row.
  var times = 2

  var testDescription: String { "\(request) \(code) \(moment) ×\(times)" }

  /// Every code that the protocol's list of errors calls retriable, in the order of numbers; -1 is
  /// UNKNOWN_SERVER_ERROR, and -195 breaks the connection instead of answering.
  static let retriable: [Int32] = [
    -195, -1, 2, 3, 5, 6, 7, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 70, 71, 72, 74, 75, 78, 80, 88,
    89, 100, 103, 106,
  ]

  static let requests: [MockCluster.Request] = [
    .apiVersions, .listOffsets, .fetch, .findCoordinator, .offsetCommit,
  ]

  /// All requests, codes and moments.
  static var all: [BrokerFault] {
    requests.flatMap { request in
      retriable.flatMap { code in
        FaultDrill.Moment.allCases.map { moment in
          BrokerFault(
            request: request, code: code, moment: moment, times: moment == .middle ? 5 : 2)
        }
      }
    }
  }

  /// One of each request in turn, so that every code and every moment occurs.
  static var sample: [BrokerFault] {
    let picks: [(MockCluster.Request, Int32, FaultDrill.Moment)] = [
      (.fetch, 2, .middle), (.fetch, 3, .start), (.fetch, 75, .end), (.listOffsets, 6, .start),
      (.listOffsets, 78, .end), (.apiVersions, -195, .start), (.offsetCommit, 16, .middle),
      (.findCoordinator, 15, .start),
    ]
    return picks.map { BrokerFault(request: $0.0, code: $0.1, moment: $0.2) }
  }

  /// The sample, or all of them where `SOJOURN_BROKER_FAULTS` is `all`.
  static var chosen: [BrokerFault] {
    getenv("SOJOURN_BROKER_FAULTS").map { String(cString: $0) } == "all" ? all : sample
  }

  func order(at broker: MockCluster) throws {
    try broker.failNext(
      request, with: Array(repeating: code, count: times), broker: 1)
    // Versions are asked for on a new connection only, a coordinator after one was lost.
    if moment == .middle, request == .apiVersions || request == .findCoordinator {
      try broker.failNext(.fetch, with: [-195], broker: 1)
    }
  }
}

@Suite struct BrokerFaultTests {
  @Test(arguments: BrokerFault.chosen)
  func `an error that passes costs no record and changes no row`(fault: BrokerFault) throws {
    let drill = try FaultDrill()
    try drill.perform { moment in
      if moment == fault.moment { try fault.order(at: drill.topic.cluster) }
    }
    try drill.check("\(fault)")
    if fault.request == .fetch || fault.request == .listOffsets {
      #expect(try drill.topic.cluster.failuresLeft(fault.request, broker: 1) == 0)
    }
  }
}
