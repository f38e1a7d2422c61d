import KafkaClient
import Platform

/// Turns librdkafka's many errors of an outage into two messages: lost, and back.
struct ConnectionLog {
  /// Messages beyond this are dropped until somebody takes them.
  private static let keptNotices = 100

  private var notices: [String] = []
  private var lostAt: Int64?
  private var mirrorFailedAt: Int64?
  private var lastPassing: String?
  private var brokerLostAt: Int64?
  /// The same kind of message is not repeated within this, µs.
  private static let repeatInterval: Int64 = 60_000_000

  var isLost: Bool { lostAt != nil }

  mutating func add(_ notice: String) {
    if notices.count < Self.keptNotices { notices.append(notice) }
  }

  mutating func take() -> [String] {
    defer { notices = [] }
    return notices
  }

  mutating func lose(_ error: KafkaError) {
    if lostAt != nil { return }
    lostAt = Clock.monotonic
    add("broker connection lost: \(error); reading goes on by itself once it is back")
  }

  mutating func regain() {
    guard let since = lostAt else { return }
    lostAt = nil
    lastPassing = nil
    add("broker connection back after \((Clock.monotonic - since) / 1_000_000) s")
  }

  /// One connection of several: at most one message a minute. The others go on.
  mutating func noteConnectionLoss(_ error: KafkaError) {
    let now = Clock.monotonic
    if let last = brokerLostAt, now - last < Self.repeatInterval { return }
    brokerLostAt = now
    add("connection to a broker lost or refused: \(error); its partitions wait, retried")
  }

  /// An error of one partition that passes by itself; the same one in a row is told once.
  mutating func notePassing(_ error: KafkaError, partition: Int32) {
    let text = "partition \(partition): \(error); retried"
    if text == lastPassing { return }
    lastPassing = text
    add(text)
  }

  /// At most one message a minute.
  mutating func noteMirrorFailure(_ error: KafkaError) {
    let now = Clock.monotonic
    if let last = mirrorFailedAt, now - last < Self.repeatInterval { return }
    mirrorFailedAt = now
    add("offsets could not be shown to the consumer group (only lag tools miss them): \(error)")
  }
}
