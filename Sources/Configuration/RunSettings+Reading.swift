import SessionModel

extension RunSettings {
  /// Checks each value and what belongs together.
  init(_ values: FlagValues, readFile: FileReader) throws(UsageError) {
    input = try values.runInput(readFile: readFile)
    sinks = try values.sinks()
    stateDirectory = try values.required("state")
    job = try values.job(for: input)

    gap = try values.requiredDuration("gap")
    split = try values.requiredChoice("split-every", SplitGrid.self).span
    outOfOrderness = try values.requiredDuration("out-of-orderness")
    idleTimeout = try values.duration("idle-timeout")
    quietClose = try values.quietClose(
      gap: gap, outOfOrderness: outOfOrderness, idleTimeout: idleTimeout)
    maxFutureSkew = try values.duration("max-future-skew")
    maxDrift = try values.duration("max-drift")

    checkpointInterval = try values.requiredDuration("checkpoint-interval")
    from = try values.startPoint()
    stopAtEnd = try values.boolean("stop-at-end") || input.isFiles
    closeAll = try values.boolean("close-all")
    if closeAll, !stopAtEnd {
      throw values.invalid(
        "close-all", "it needs an end of the log to close at",
        remedy: "add --stop-at-end, or read files with --file")
    }
    runFor = try values.duration("run-for")
    shutdownTimeout = try values.requiredDuration("shutdown-timeout")

    onDataLoss = try values.requiredChoice("on-data-loss", DataLossPolicy.self)
    outboxLimit = try values.requiredInteger("outbox-limit")
    dropsBots = try values.boolean("drop-bots")
    late = try values.side(.late)
    rejected = try values.side(.rejected)
    bots = try values.side(.bots)
    if bots.place != nil, !dropsBots {
      throw values.invalid(
        "bots-to", "without --drop-bots the sessions of bots go to the sinks",
        remedy: "add --drop-bots, or leave it out")
    }
    adoptTable = try values.boolean("adopt-table")
    acceptMissingRows = try values.sinkNames("accept-missing-rows", areAmong: sinks)
    dropSinks = try values.sinkNames("drop-sink", areNotAmong: sinks)
    table = try values.tableName()
    isTransactional = try values.boolean("transactional")
    icebergCommitInterval = try values.requiredDuration("iceberg-commit-interval")
    icebergPython = try values.text("iceberg-python")

    decoding = try DecodingSettings(values)
    if input.isFiles, decoding.eventTimeFallback == .record {
      throw values.invalid(
        "event-time-fallback", "the lines of a file have no Kafka timestamp to fall back on",
        remedy: "leave it out with --file")
    }
    geo = try values.geo()
    userAgents = try values.userAgents()
    output = try values.requiredChoice("output", OutputFormat.self)
  }
}

extension RunInput {
  package var isFiles: Bool {
    if case .files = self { true } else { false }
  }
}

extension FlagValues {
  func runInput(readFile: FileReader) throws(UsageError) -> RunInput {
    let files = try texts("file")
    if files.isEmpty {
      if !isGiven("brokers"), !isGiven("topic") {
        throw UsageError(
          "nothing to read is named", remedy: "give --brokers and --topic, or --file")
      }
      return .kafka(try kafka(readFile: readFile))
    }
    for name in ["brokers", "topic", "from", "X", "kafka-properties"] where isGiven(name) {
      throw UsageError(
        "\(place(of: name)) and \(place(of: "file")) exclude each other",
        remedy: "read either a topic or files")
    }
    return .files(files)
  }

  fileprivate func job(for input: RunInput) throws(UsageError) -> String {
    guard let job = try text("job") else {
      switch input {
      case .kafka(let kafka): return kafka.topic
      case .files: return "files"
      }
    }
    if job.utf8.count > 200 || job.unicodeScalars.contains(where: { $0.value < 32 }) {
      throw invalid(
        "job", "a job's name has at most 200 bytes and no control characters",
        remedy: "choose a shorter name")
    }
    return job
  }

  fileprivate func quietClose(
    gap: Microseconds, outOfOrderness: Microseconds, idleTimeout: Microseconds?
  ) throws(UsageError) -> Microseconds? {
    if !isGiven("quiet-close") { return idleTimeout.map { gap + outOfOrderness + $0 } }
    let quietClose = try duration("quiet-close")
    if quietClose != nil, idleTimeout == nil {
      throw invalid(
        "quiet-close", "it waits for idle partitions, and none is ever idle with idle-timeout off",
        remedy: "give --idle-timeout a duration, or --quiet-close off")
    }
    return quietClose
  }

  fileprivate func side(_ output: SideOutput) throws(UsageError) -> SideSettings {
    SideSettings(
      place: try text("\(output.rawValue)-to"),
      limit: try requiredInteger("\(output.rawValue)-limit"))
  }

  func startPoint() throws(UsageError) -> StartPoint {
    let text = try required("from")
    switch text {
    case "earliest": return .earliest
    case "latest": return .latest
    default:
      if let time = TimestampText.parse(text) { return .time(time) }
      let near = Suggestion.nearest(to: text, in: ["earliest", "latest"])
      throw invalid(
        "from", "\(quoted(text)) is neither earliest, latest nor a point in time",
        meant: near,
        remedy: "write ISO-8601 with an offset such as 2025-01-31T08:30:00Z, or epoch milliseconds")
    }
  }
}
