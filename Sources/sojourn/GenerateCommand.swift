import Configuration
import Console
import KafkaClient
import Pipeline
import Platform
import SessionModel

/// `sojourn generate`: web traffic, made or from files, to standard output or into a topic.
enum GenerateCommand {
  static func run(_ settings: GenerateSettings) throws(CommandFailure) {
    let stop = StopRequest()
    Signals.block()
    try Signals.onEnding { stop.request() }
    if let kafka = settings.kafka {
      try send(settings, to: kafka, stop)
    } else {
      try print(settings, stop)
    }
  }

  private static func print(
    _ settings: GenerateSettings, _ stop: StopRequest
  ) throws(CommandFailure) {
    let events = try EventStream(settings.content)
    var pace = Pace(perSecond: settings.throttle)
    try StandardOutput.write { (writer) throws(OutputError) in
      while !stop.isRequested, let line = events.next() {
        try writer.write(line)
        try writer.write("\n")
        if pace.wait() { try writer.flush() }
      }
    }
    try events.check()
  }

  private static func send(
    _ settings: GenerateSettings, to kafka: KafkaSettings, _ stop: StopRequest
  ) throws(CommandFailure) {
    let events = try EventStream(settings.content)
    var pace = Pace(perSecond: settings.throttle)
    var progress = ProgressLine()
    var sent: UInt64 = 0
    do throws(KafkaError) {
      let producer = try Producer(KafkaConfiguration(kafka))
      let topic = try producer.describe(topic: kafka.topic, timeout: brokerTimeout)
      let partitions = UInt64(settings.partitions ?? topic.partitionCount)
      while !stop.isRequested, let line = events.next() {
        try producer.produce(
          topic: kafka.topic, partition: partition(of: sent, among: partitions), line)
        sent += 1
        _ = pace.wait()
        progress.update(now: Clock.monotonic) { width in
          ProgressBar.text("sending", done: sent, total: 0, unit: "events", width: width)
        }
      }
      try producer.flush(timeout: brokerTimeout)
    } catch {
      progress.clear()
      throw CommandFailure(
        .unavailable, "\(error)", state: .untouched, remedy: "see whether the broker is there")
    }
    progress.clear()
    try events.check()
    try StandardOutput.write { (writer) throws(OutputError) in
      try writer.write("\(sent) events sent to \(kafka.topic)\n")
    }
  }

  /// Spreads events evenly and without a pattern (Fibonacci hashing; Knuth, TAOCP 3, 6.4).
  private static func partition(of event: UInt64, among partitions: UInt64) -> Int32 {
    Int32((event &* 0x9E37_79B9_7F4A_7C15) >> 33 % partitions)
  }

  /// How long the broker may take to answer, µs.
  private static let brokerTimeout: Int64 = 60_000_000
}

extension Producer {
  /// Sends bytes that are kept alive until the library has copied them.
  fileprivate func produce(
    topic: String, partition: Int32, _ line: [UInt8]
  ) throws(KafkaError) {
    var failure: KafkaError?
    line.withUnsafeBytes { bytes in
      do throws(KafkaError) {
        try produce(topic: topic, partition: partition, value: bytes)
      } catch { failure = error }
    }
    if let failure { throw failure }
  }
}
