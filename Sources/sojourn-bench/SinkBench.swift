import Glibc
import KafkaClient
import Pipeline
import Platform
import SessionModel
import Sinks

/// How many new rows a second each sink makes durable, written as a delivery writes them.
enum SinkBench {
  private static let rowsPerWrite = RunOptions().bounds.rowsPerWrite
  private static let rounds = 3
  private static let clusterPartitions: Int32 = 16
  private static let options = SinkOptions(
    icebergPython: getenv("SOJOURN_ICEBERG_PYTHON").map { String(cString: $0) })

  static func run(_ arguments: [String]) -> Int32 {
    guard arguments.count >= 2, let rows = Int(arguments[0]) else { return usage() }
    let directory = arguments[1]
    let given = Array(arguments.dropFirst(2))
    do {
      try Files.makeDirectory(directory)
      print("| sink | rows/s, median of \(rounds) | CPU µs/row of this process |")
      print("| --- | --- | --- |")
      let own = ["sqlite:\(directory)/sessions.db", "jsonl:\(directory)/rows", "kafka:rows"]
      for address in given.isEmpty ? own : given { try measure(address, rows: rows) }
      return 0
    } catch {
      say("\(error)")
      return 1
    }
  }

  private static func measure(_ text: String, rows: Int) throws {
    var address = try SinkAddress(parsing: text)
    // Ends with this function.
    let cluster = address.scheme == .kafka ? try MockCluster() : nil
    address.cluster = cluster.map { KafkaConfiguration(brokers: $0.brokers) }
    defer { withExtendedLifetime(cluster) {} }
    var spans: [(wall: Int64, cpu: Int64)] = []
    for round in 1...rounds {
      let table = try TableName(parsing: "sojourn_bench_\(round)")
      var place = address
      // A directory is one table.
      if address.scheme == .jsonl { place.rest += "-\(round)" }
      // A namespace is given; the address of a table names it.
      if address.scheme == .iceberg { place.rest += ".\(table.text)" }
      if let cluster {
        // The embedded cluster keeps 5 MiB of each partition.
        place.rest += "-\(round)"
        try cluster.createTopic(place.rest, partitions: clusterPartitions)
      } else {
        try Sinks.drop(place, table: table, options: options)
      }
      defer { if cluster == nil { try? Sinks.drop(place, table: table, options: options) } }
      spans.append(try write(rows, to: try Sinks.make(place, table: table, options: options)))
    }
    spans.sort { $0.wall < $1.wall }
    let median = spans[rounds / 2]
    let perRow = Double(median.cpu) / Double(rows)
    print(
      "| \(address.scheme.rawValue) | \(Int64(rows) * .perSecond / max(1, median.wall)) | "
        + "\((perRow * 10).rounded() / 10) |")
  }

  private static func write(
    _ rows: Int, to sink: any Sink
  ) throws -> (wall: Int64, cpu: Int64) {
    let identity = JobIdentity(job: "bench", fingerprint: Fingerprint(topic: "bench", gap: 1))
    var held = try sink.open(
      SinkClaimant(
        identity: identity, owner: OwnerID(random: randomBytes(16)), claim: .first, adopt: false),
      acknowledged: nil)
    defer { sink.close() }
    var span: (wall: Int64, cpu: Int64) = (0, 0)
    let size = sink.bundle?.rows ?? rowsPerWrite
    for start in stride(from: 0, to: rows, by: size) {
      let rows = batch(start..<min(rows, start + size))
      let (wall, cpu) = (Clock.monotonic, Clock.processCPU)
      try sink.write(after: held, rows: rows)
      span.wall += Clock.monotonic - wall
      span.cpu += Clock.processCPU - cpu
      held = rows.lastPosition
    }
    return span
  }

  // MARK: - Rows

  /// The texts of each row; never changed, and allocated once, since a row only views them.
  nonisolated(unsafe) private static let texts: [TextView?] = RowText.allCases.map { text in
    let value: String? =
      switch text {
      case .ownKey: nil
      case .userID: "483920"
      case .ip: "203.0.113.77"
      case .landingURL: "https://shop.example/articles/48392?from=search"
      case .exitURL: "https://shop.example/basket"
      case .referrer: "https://find.example/results"
      case .host: "shop.example"
      case .browserFamily: "Chrome Mobile"
      case .osFamily: "Android"
      case .deviceFamily: "Pixel 9"
      case .channel: "organic"
      case .utmSource, .utmMedium, .utmCampaign, .clickID, .clickIDType: nil
      case .country, .state, .city: nil
      }
    guard let value else { return nil }
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: value.utf8.count, alignment: 1)
    copy.copyBytes(from: value.utf8)
    return TextView(copy)
  }

  /// Rows with ids in no order, as hashes are.
  private static func batch(_ numbers: Range<Int>) -> RowBatch {
    var batch = RowBatch()
    var random = SplitMix(UInt64(numbers.lowerBound))
    for number in numbers {
      let end = 1_735_689_600_000_000 + Microseconds(number) * .perMillisecond
      let id = SessionID(words: (random.next(), random.next(), 0, UInt64(number)))
      batch.append { bytes in
        SessionRow.append(
          id: id, start: end - 60 * .perSecond, end: end, eventCount: 7,
          texts: { texts[$0.rawValue] }, to: &bytes)
      }
    }
    return batch
  }
}
