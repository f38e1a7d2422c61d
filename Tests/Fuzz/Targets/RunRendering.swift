import Configuration
import SessionModel

/// The settings of a run as arguments: read again, they are the same settings.
enum RunRendering {
  static func check(_ settings: RunSettings) throws(FuzzFinding) {
    let arguments = arguments(settings)
    let again = try ConfigurationCheck.runSettings(arguments, ConfigurationCheck.World())
    try require(again != nil, "settings are refused as arguments: \(arguments)")
    try require(
      again.map { String(reflecting: $0) } == String(reflecting: settings),
      "settings are others as arguments: \(arguments)")
  }

  private static func arguments(_ settings: RunSettings) -> [String] {
    var arguments = ["run"]
    func add(_ name: String, _ value: String) { arguments.append("--\(name)=\(value)") }
    func add(_ name: String, span: Microseconds?) {
      add(name, span.map { DurationText.text($0) } ?? "off")
    }
    switch settings.input {
    case .kafka(let kafka):
      add("brokers", kafka.brokers)
      add("topic", kafka.topic)
      for property in kafka.properties { arguments.append("-X\(property.key)=\(property.value)") }
      switch settings.from {
      case .earliest: add("from", "earliest")
      case .latest: add("from", "latest")
      case .time(let time): add("from", TimeText.timestamp(time))
      }
    case .files(let paths): for path in paths { add("file", path) }
    }
    for sink in settings.sinks { add("sink", sink) }
    for name in settings.acceptMissingRows { add("accept-missing-rows", name) }
    for name in settings.dropSinks { add("drop-sink", name) }
    for field in settings.decoding.fields { add("field", "\(field.name)=\(field.path)") }
    add("state", settings.stateDirectory)
    add("job", settings.job)
    add("table", settings.table)
    add("gap", span: settings.gap)
    add("split-every", SplitGrid.allCases.first { $0.span == settings.split }!.rawValue)
    add("out-of-orderness", span: settings.outOfOrderness)
    add("idle-timeout", span: settings.idleTimeout)
    add("quiet-close", span: settings.quietClose)
    add("max-future-skew", span: settings.maxFutureSkew)
    add("max-drift", span: settings.maxDrift)
    add("checkpoint-interval", span: settings.checkpointInterval)
    add("run-for", span: settings.runFor)
    add("shutdown-timeout", span: settings.shutdownTimeout)
    add("stop-at-end", "\(settings.stopAtEnd)")
    add("close-all", "\(settings.closeAll)")
    add("adopt-table", "\(settings.adoptTable)")
    add("assume-utc", "\(settings.decoding.assumeUTC)")
    add("on-data-loss", settings.onDataLoss.rawValue)
    add("outbox-limit", "\(settings.outboxLimit)")
    add("drop-bots", "\(settings.dropsBots)")
    for output in SideOutput.allCases {
      if let place = settings[output].place { add("\(output.rawValue)-to", place) }
      add("\(output.rawValue)-limit", "\(settings[output].limit)")
    }
    add("event-time-unit", settings.decoding.eventTimeUnit.rawValue)
    add("event-time-fallback", settings.decoding.eventTimeFallback.rawValue)
    add("output", settings.output.rawValue)
    return arguments
  }
}
