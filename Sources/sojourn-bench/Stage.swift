import CBench
import Enrichment
import EventDecoding
import EventSources
import Glibc
import KafkaClient
import Pipeline
import Platform
import SessionModel
import Sinks
import StateStore
import Windowing

/// One measured way through the topic: each does what the one before does, and one thing more.
enum Stage: String, CaseIterable {
  /// librdkafka's batch call alone, in C.
  case read
  /// The source: per-partition queues, proofs, positions.
  case source
  case decode
  case window
  /// All of `sojourn run`, with checkpoints and JSONL delivery.
  case whole
  /// `whole` with user agents as raw headers, which nobody parses.
  case raw
  /// `raw` with the headers parsed, and geography from a file if there is one.
  case enriched

  /// The way of a record, each stage a step more.
  static let way: [Stage] = [.read, .source, .decode, .window, .whole]
  /// The same job without and with enrichment.
  static let enrichment: [Stage] = [.raw, .enriched]

  /// What a stage was told: brokers, topic, partitions, a directory of its own.
  struct Place {
    var brokers: String
    var topic: String
    var partitions: Int32
    var directory: String
    /// An MMDB file, for `enriched`.
    var mmdb: String?
  }

  /// Runs one stage and prints `records cpu_us wall_us allocations peak_kb`.
  static func run(_ arguments: [String]) -> Int32 {
    guard (5...6).contains(arguments.count), let stage = Stage(rawValue: arguments[0]),
      let partitions = Int32(arguments[3])
    else { return 64 }
    let place = Place(
      brokers: arguments[1], topic: arguments[2], partitions: partitions,
      directory: arguments[4], mmdb: arguments.count == 6 ? arguments[5] : nil)
    do {
      let enrichment = try stage == .enriched ? LoadedEnrichment(mmdb: place.mmdb) : nil
      if let enrichment { say("files for enrichment took \(enrichment.cpu / 1_000) ms of CPU") }
      let wall = Clock.monotonic
      let records = try stage.measure(place, enrichment)
      print(
        records, Clock.processCPU - (enrichment?.cpu ?? 0), Clock.monotonic - wall,
        cbench_allocations(), peakKilobytes)
      return 0
    } catch {
      say("\(stage): \(error)")
      return 1
    }
  }

  private static var peakKilobytes: Int {
    var usage = rusage()
    getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss
  }

  private func measure(_ place: Place, _ enrichment: LoadedEnrichment?) throws -> Int {
    switch self {
    case .read: return Stage.bareRead(place)
    case .source: return try Stage.drain(place) { _ in }
    case .decode: return try Stage.decodeAll(place)
    case .window: return try Stage.windowAll(place)
    case .whole: return try Stage.runAll(place)
    case .raw: return try Stage.runAll(place, options: try Stage.rawOptions())
    case .enriched:
      return try Stage.runAll(
        place, options: try Stage.rawOptions(), geography: enrichment!.geography,
        userAgents: enrichment!.userAgents)
    }
  }

  private static func bareRead(_ place: Place) -> Int {
    var bytes: UInt64 = 0
    // The whole memory that the source may use, for its one queue.
    return Int(
      cbench_read(place.brokers, place.topic, place.partitions, "262144", "640000", &bytes))
  }

  private static func makeSource(_ place: Place) throws -> KafkaSource {
    var options = KafkaSourceOptions(
      configuration: KafkaConfiguration(brokers: place.brokers), topic: place.topic,
      group: "bench")
    options.stopAtEnd = true
    return try KafkaSource(options)
  }

  private static func drain(
    _ place: Place, _ body: (RecordBatch) throws -> Void
  ) throws -> Int {
    let source = try makeSource(place)
    defer { source.close() }
    var starts: [PartitionStart]?
    while starts == nil {
      starts = try source.open(resume: [], maxWait: Microseconds.perSecond)
    }
    var left = starts!.count
    var records = 0
    while left > 0 {
      guard let batch = try source.nextBatch(maxWait: Microseconds.perSecond) else { continue }
      records += batch.records.count
      try body(batch)
      if batch.reachedStop { left -= 1 }
    }
    return records
  }

  private static func decodeAll(_ place: Place) throws -> Int {
    var decoder = EventDecoder()
    var event = Event()
    return try drain(place) { batch in
      for record in batch.records {
        let rejection = decoder.decode(
          record.value, valueLength: record.valueLength, recordTime: record.timestamp,
          into: &event)
        precondition(rejection == nil, "the benchmark's events are whole")
      }
    }
  }

  private static func windowAll(_ place: Place) throws -> Int {
    let gap = 300 * Microseconds.perSecond
    var marks = Watermarks(gap: gap, outOfOrderness: 60 * Microseconds.perSecond)
    for partition in 0..<place.partitions { marks.add(partition: partition) }
    let table = SessionTable(gap: gap) { _, _, _ in preconditionFailure("nothing is on disk") }
    let queue = EventQueue(decoding: DecodingOptions(), hasher: KeyHasher(seed: (1, 2)))
    func admitFirst(of batch: RecordBatch) throws {
      try queue.leave { index, event, hash in
        if marks.admit(event.time, partition: batch.partition) != nil { return }
        let offset = batch.records[index].offset
        try table.add(
          event, at: EventPoint(time: event.time, partition: batch.partition, offset: offset),
          hash: hash, closeLine: marks.closeLine)
      }
    }
    return try drain(place) { batch in
      for (index, record) in batch.records.enumerated() {
        _ = queue.decode(record)
        queue.enter(index: index, table: table)
        if queue.isFull { try admitFirst(of: batch) }
      }
      while !queue.isEmpty { try admitFirst(of: batch) }
      marks.sweep()
      try table.sweep(to: marks.closeLine)
      if table.closingSessions > 20_000 {
        var rows = RowBatch()
        try table.takeRows(limit: .max / 2, into: &rows)
        table.takeChanges { _, _, _, _ in .none }
      }
    }
  }

  private static func rawOptions() throws -> RunOptions {
    var options = RunOptions()
    try options.decoding.mapping.set("user_agent", path: "headers.user-agent")
    return options
  }

  private static func runAll(
    _ place: Place, options: RunOptions = RunOptions(),
    geography: any GeographySource = NoGeography(),
    userAgents: RawUserAgents = RawUserAgents(whenNeeded: nil)
  ) throws -> Int {
    var options = options
    options.isBounded = true
    let identity = JobIdentity(
      job: place.topic, fingerprint: Fingerprint(topic: place.topic, gap: options.gap))
    let store = try StateStore.open(directory: place.directory + "/state", identity: identity)
    let address = try SinkAddress(parsing: "jsonl:\(place.directory)/rows")
    let sink = SinkToOpen(
      sink: try Sinks.make(address, table: .sessions), name: address.name, url: address.redacted,
      identity: identity, owner: OwnerID(random: randomBytes(16)), adopt: false,
      acceptMissingRows: false)
    let summary = try Run(
      options: options, store: store, source: try makeSource(place), sinks: [sink],
      geography: .source(geography), userAgents: userAgents, stop: StopRequest(),
      observer: RunObserver(notice: { _ in }, progress: { _, _ in })
    ).run()
    return Int(summary.recordsThisRun)
  }
}

/// Files for enrichment, read once at the start of a run: their time is not the stream's.
struct LoadedEnrichment {
  let geography: any GeographySource
  let userAgents: RawUserAgents
  /// Time that reading and checking them took, µs.
  let cpu: Int64

  init(mmdb: String?) throws {
    let start = Clock.processCPU
    geography = try mmdb.map { try MaxMindGeography(path: $0) } ?? NoGeography()
    userAgents = try RawUserAgents(definitions: RawUserAgents.systemPath)
    cpu = Clock.processCPU - start
  }
}
