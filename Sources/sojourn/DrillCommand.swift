import Configuration
import Console
import Drill
import Glibc
import KafkaClient
import Pipeline
import Platform
import SessionModel
import Sinks

/// `sojourn drill`: strikes this program while it works, and says whether that left a trace.
enum DrillCommand {
  /// Room for state and sinks of the drilled side where the disk is to become full: much more than
  /// they need.
  private static let smallDiskBytes: UInt64 = 256 << 20
  private static let smallDiskBytesPerEvent: UInt64 = 400

  static func run(_ settings: DrillSettings) throws(CommandFailure) {
    let directory = try makeDirectory(settings.directory)
    var isKept = true
    defer { if !isKept { clear(directory, isGiven: settings.directory != nil) } }
    do throws(CommandFailure) {
      let report = try drill(try options(of: settings, directory: directory), settings)
      isKept = settings.keep || !report.isEqual
      try print(report, settings)
      if report.isEqual { return }
    } catch {
      // What was not even begun leaves nothing to look at.
      isKept = error.exitCode == .difference
      throw error
    }
    throw CommandFailure(
      .difference,
      complete: "the drill found differences. States, sinks and rows of both sides are kept in "
        + "\(directory)")
  }

  /// - Throws: `CommandFailure` with code 1 where a life went wrong.
  private static func drill(
    _ options: DrillOptions, _ settings: DrillSettings
  ) throws(CommandFailure) -> DrillReport {
    let disk = try smallDisk(options)
    Signals.block()
    let stop = StopRequest()
    // Only now: a process with threads cannot have a small disk.
    try Signals.onEnding { stop.request() }
    let begin = Clock.monotonic
    var line = ProgressLine()
    let observer = DrillObserver(
      progress: { title, done, total, unit in
        line.update(now: Clock.monotonic) { width in
          ProgressBar.text(
            title, done: UInt64(done), total: UInt64(total), unit: unit, width: width)
        }
      },
      isStopped: { stop.isRequested })
    defer { line.clear() }
    do throws(DrillFailure) {
      let drill = try Drill(
        options, disk: disk, flags: try kafkaFlags(settings, in: options.directory),
        observer: observer)
      defer { drill.cleanUp(keeping: settings.keep) }
      let report = try drill.run()
      if disk != nil, settings.keep || !report.isEqual { try drill.copySmallDisk() }
      return report
    } catch {
      line.clear()
      throw failure(error, options, after: Clock.monotonic - begin)
    }
  }

  private static func failure(
    _ error: DrillFailure, _ options: DrillOptions, after span: Microseconds
  ) -> CommandFailure {
    for message in error.messages { Standard.writeError("  | " + message + "\n") }
    if error.exitCode != .difference {
      return CommandFailure(error.exitCode, error.description, state: .untouched, remedy: nil)
    }
    return CommandFailure(
      .difference,
      complete:
        "the drill failed after \(span / .perSecond) s: \(error.description). Its directory "
        + "\(options.directory) is kept")
  }

  // MARK: - Preparations

  private static func makeDirectory(_ given: String?) throws(CommandFailure) -> String {
    do throws(SystemError) {
      guard let given else { return try Files.makeTemporaryDirectory("sojourn-drill") }
      try Files.makeDirectory(given)
      if try Files.names(in: given).isEmpty { return given }
    } catch {
      throw CommandFailure(error, state: .untouched)
    }
    throw CommandFailure(
      .usage, "the directory of the drill is not empty", state: .untouched,
      remedy: "name another --dir, or empty it")
  }

  /// A directory that was named stays, empty: it may be another user's to make, or a mount.
  private static func clear(_ directory: String, isGiven: Bool) {
    guard isGiven else {
      try? Files.removeTree(directory)
      return
    }
    for name in (try? Files.names(in: directory)) ?? [] {
      try? Files.removeTree(directory + "/" + name)
    }
  }

  private static func smallDisk(_ options: DrillOptions) throws(CommandFailure) -> SmallDisk? {
    guard options.faults.contains(.diskFull) else { return nil }
    let directory = Drill.smallDirectory(options)
    do throws(SystemError) {
      try Files.makeDirectory(directory)
      return try SmallDisk(
        at: directory,
        bytes: smallDiskBytes + smallDiskBytesPerEvent * UInt64(options.events))
    } catch {
      throw CommandFailure(
        .configuration, "a full disk needs a file system of the drill's own: \(error)",
        state: .untouched,
        remedy: "run it as root, or where the system permits user namespaces to users")
    }
  }

  /// Settings for librdkafka go to the drilled process in a file: they may be secrets.
  private static func kafkaFlags(
    _ settings: DrillSettings, in directory: String
  ) throws(DrillFailure) -> [String] {
    guard let properties = settings.kafka?.properties, !properties.isEmpty else { return [] }
    let path = directory + "/kafka.properties"
    let text = properties.map { "\($0.key)=\($0.value)\n" }.joined()
    do throws(SystemError) {
      let file = try FileDescriptor.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
      try file.write(Array(text.utf8))
    } catch {
      throw DrillFailure(error)
    }
    return ["--kafka-properties", path]
  }

  private static func options(
    of settings: DrillSettings, directory: String
  ) throws(CommandFailure) -> DrillOptions {
    var options = DrillOptions(
      // This very file, even if a newer one has its name by now.
      program: "/proc/self/exe", directory: directory,
      faults: settings.faults.compactMap(Fault.init), strikes: settings.kills,
      events: settings.events, seed: settings.seed,
      sinks: try sinks(settings.sinks))
    options.isLive = settings.isLive
    options.geographyFailures = settings.geographyFailures
    options.isTransactional = settings.isTransactional
    options.sinkOptions.icebergPython = settings.icebergPython
    options.cluster = settings.kafka.map { kafka in
      DrillOptions.RealCluster(
        brokers: kafka.brokers, topicPrefix: kafka.topic,
        properties: kafka.properties.map { ($0.key, $0.value) })
    }
    return options
  }

  /// - Parameter words: kinds, and addresses of servers.
  private static func sinks(_ words: [String]) throws(CommandFailure) -> [DrillSink] {
    var sinks: [DrillSink] = []
    for word in words {
      if let scheme = SinkAddress.Scheme(rawValue: word) {
        sinks.append(.own(scheme))
        continue
      }
      do throws(SinkAddressError) {
        let address = try SinkAddress(parsing: word)
        if address.scheme == .kafka, try !KafkaAddress.parts(of: address).parameters.isEmpty {
          throw SinkAddressError("kafka: a drill has its topics on the cluster that it drills on")
        }
        sinks.append(.server(address))
      } catch {
        throw CommandFailure(.usage, error.description, state: .untouched, remedy: nil)
      }
    }
    return sinks
  }

  private static func print(
    _ report: DrillReport, _ settings: DrillSettings
  ) throws(CommandFailure) {
    try StandardOutput.write { (writer) throws(OutputError) in
      switch settings.output {
      case .text: try writer.write(DrillText.text(report))
      case .json: try writer.write(DrillText.json(report))
      }
    }
  }
}
