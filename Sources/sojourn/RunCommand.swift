import Configuration
import Console
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

/// `sojourn run`: a topic or files into a table of sessions.
enum RunCommand {
  /// - Parameter beganAt: when the process began, monotonic µs.
  static func run(_ settings: RunSettings, beganAt: Int64) throws(CommandFailure) {
    Signals.block()
    var options = try options(of: settings)
    options.settings = [KeptSetting](settings, mapping: options.decoding.mapping)
    let identity = JobIdentity(
      job: settings.job,
      fingerprint: Fingerprint(
        topic: topic(of: settings), keyFields: settings.decoding.key, gap: settings.gap,
        split: settings.split, dropsBots: settings.dropsBots))
    let outputs = try RunOutputs(settings, identity: identity)
    let geography = try geography(of: settings)
    let userAgents = try RawUserAgents.made(as: settings.userAgents)
    let stop = StopRequest()
    let summary: RunSummary
    var progress = ProgressLine()
    let unit = if case .files = settings.input { "bytes" } else { "offsets" }
    do throws(RunFailure) {
      let store = try openStore(settings, identity)
      if let warning = store.warning {
        Standard.writeError(Message.warning(warning, colour: Standard.errorHasColour))
      }
      let resumed = store.recovered
      let source = try source(of: settings, resuming: resumed)
      let waker = SourceWaker(source)
      try handleSignals(stop, waker)
      let observer = RunObserver(
        notice: { notice in
          progress.clear()
          Standard.writeError(Message.note(notice))
        },
        progress: { records, part in
          progress.update(now: Clock.monotonic) { width in
            if let part, settings.stopAtEnd {
              return ProgressBar.text(
                "reading", done: UInt64(part.done), total: UInt64(part.all), unit: unit,
                width: width)
            }
            return ProgressBar.text(
              "reading", done: records, total: 0, unit: "records", width: width)
          }
        },
        firstRecord: {
          progress.clear()
          Standard.writeError(
            Message.note(
              FirstRecordNote.text(
                after: Clock.monotonic - beganAt, checkpoint: resumed.checkpoint,
                openSessions: resumed.openSessions + resumed.closingSessions)))
        })
      summary = try Run(
        options: options, store: store, source: source, sinks: outputs.sinks, sides: outputs.sides,
        geography: geography, userAgents: userAgents, stop: stop, observer: observer
      ).run()
    } catch {
      progress.clear()
      throw CommandFailure(error)
    }
    progress.clear()
    try StandardOutput.write(state: .safe) { (writer) throws(OutputError) in
      switch settings.output {
      case .text: try writer.write(SummaryText.line(summary) + "\n")
      case .json: try writer.write(SummaryText.json(summary))
      }
    }
  }

  private static func openStore(
    _ settings: RunSettings, _ identity: JobIdentity
  ) throws(RunFailure) -> StateStore {
    var options = StateOptions()
    options.sideLimits = settings.sideLimits
    if case .ip2location(let service) = settings.geo {
      options.geographyRows = UInt64(service.cachedAddresses)
    }
    do throws(StateError) {
      return try StateStore.open(
        directory: settings.stateDirectory, identity: identity, options: options)
    } catch {
      throw RunFailure(error)
    }
  }

  private static func geography(
    of settings: RunSettings
  ) throws(CommandFailure) -> GeographyOrigin {
    var remedy = "put a sound file there, name another with --geo, or leave --geo out"
    do throws(EnrichmentError) {
      switch settings.geo {
      case .none: return .source(NoGeography())
      case .mmdb(let path): return .source(try MaxMindGeography(path: path))
      case .ip2location(let service):
        remedy = "put the key into a file and name it with --geo-key-file, or leave --geo out"
        return .service(
          try IP2LocationService(
            url: service.url, key: key(of: service), requests: service.requests))
      }
    } catch {
      throw CommandFailure(error.exitCode, error.description, state: .untouched, remedy: remedy)
    }
  }

  private static func key(of service: GeographyServiceSettings) -> ServiceKey {
    if let path = service.keyFile { return .file(path) }
    let key = getenv("IP2LOCATION_API_KEY").map { String(cString: $0) }
    // Not for the processes that sinks start.
    unsetenv("IP2LOCATION_API_KEY")
    return key.map { .text(ServiceKey.Secret($0)) } ?? .none
  }

  private static func handleSignals(_ stop: StopRequest, _ waker: SourceWaker) throws(RunFailure) {
    do throws(CommandFailure) {
      try Signals.onEnding {
        stop.request()
        waker.wake()
      }
    } catch {
      throw RunFailure(error.exitCode, error.problem)
    }
  }

  private static func topic(of settings: RunSettings) -> String {
    switch settings.input {
    case .kafka(let kafka): kafka.topic
    case .files: "files"
    }
  }

  private static func source(
    of settings: RunSettings, resuming resumed: CheckpointState
  ) throws(RunFailure) -> any EventSource {
    switch settings.input {
    case .files(let paths):
      do throws(SourceError) { return try FileSource(paths: paths) } catch {
        throw RunFailure(error)
      }
    case .kafka(let kafka):
      var options = KafkaSourceOptions(
        configuration: KafkaConfiguration(kafka), topic: kafka.topic, group: settings.job)
      options.start = KafkaSourceOptions.Start(settings.from)
      options.stopAtEnd = settings.stopAtEnd
      options.knownCluster = resumed.settings.value(of: KeptSetting.cluster)
      options.onDataLoss = settings.onDataLoss == .stop ? .stop : .continue
      do throws(SourceError) {
        return try KafkaSource(options)
      } catch {
        throw RunFailure(error)
      }
    }
  }

  private static func options(of settings: RunSettings) throws(CommandFailure) -> RunOptions {
    var options = RunOptions()
    options.gap = settings.gap
    options.split = settings.split
    options.dropsBots = settings.dropsBots
    options.outOfOrderness = settings.outOfOrderness
    options.idleTimeout = settings.idleTimeout
    options.quietClose = settings.quietClose
    options.maxFutureSkew = settings.maxFutureSkew
    options.maxDrift = settings.maxDrift
    options.checkpointInterval = settings.checkpointInterval
    options.isBounded = settings.stopAtEnd
    options.closeAll = settings.closeAll
    options.runFor = settings.runFor
    options.shutdownTimeout = settings.shutdownTimeout
    options.outboxLimit = UInt64(settings.outboxLimit)
    if case .ip2location(let service) = settings.geo {
      options.geographyDeadline = service.deadline
      options.geographyTimeToLive = service.timeToLive
    }
    options.dropSinks = Set(settings.dropSinks)
    options.decoding = try DecodingOptions(settings.decoding)
    return options
  }
}
