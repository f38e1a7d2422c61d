import Configuration
import Console
import Enrichment
import EventDecoding
import EventSources
import KafkaClient
import Platform
import SessionModel

/// `sojourn preview`: how the first records of a topic or of files would be read. Nothing is run:
/// no state is opened, nothing is committed.
enum PreviewCommand {
  /// How long one wait for records lasts at most.
  private static let waitPiece = Microseconds.perSecond

  static func run(_ settings: PreviewSettings) throws(CommandFailure) {
    let userAgents = try RawUserAgents.made(as: settings.userAgents)
    var preview = Preview(
      decoder: EventDecoder(options: try DecodingOptions(settings.decoding)),
      userAgents: userAgents, skew: FutureSkew(settings.maxFutureSkew), format: settings.output,
      limit: settings.limit)
    let source: any EventSource
    do throws(SourceError) {
      source = try makeSource(settings)
      defer { source.close() }
      try read(source, settings, into: &preview)
    } catch {
      throw CommandFailure(error.exitCode, error.description, state: .untouched, remedy: nil)
    }
    say(userAgents.takeNotices())
    try preview.finish()
  }

  private static func makeSource(
    _ settings: PreviewSettings
  ) throws(SourceError) -> any EventSource {
    switch settings.input {
    case .files(let paths): return try FileSource(paths: paths)
    case .kafka(let kafka):
      // The group only names the client: nothing is ever committed to it.
      var options = KafkaSourceOptions(
        configuration: KafkaConfiguration(kafka), topic: kafka.topic, group: "sojourn-preview")
      options.start = KafkaSourceOptions.Start(settings.from)
      options.stopAtEnd = true
      return try KafkaSource(options)
    }
  }

  /// Reads until there are enough records, no more, or no time left.
  private static func read(
    _ source: any EventSource, _ settings: PreviewSettings, into preview: inout Preview
  ) throws(SourceError) {
    let deadline = Clock.monotonic + settings.timeout
    var starts: [PartitionStart]?
    while starts == nil {
      let left = deadline - Clock.monotonic
      if left <= 0 {
        throw .unavailable(
          "no broker answered within \(DurationText.text(settings.timeout)); a longer --timeout "
            + "waits longer")
      }
      starts = try source.open(resume: [], maxWait: min(left, waitPiece))
      say(source.takeNotices())
    }
    var partitionsLeft = starts?.count ?? 0
    while partitionsLeft > 0, !preview.isFull {
      let left = deadline - Clock.monotonic
      if left <= 0 {
        return say(["not all was read within \(DurationText.text(settings.timeout))"])
      }
      guard let batch = try source.nextBatch(maxWait: min(left, waitPiece)) else {
        say(source.takeNotices())
        continue
      }
      preview.show(batch)
      if batch.reachedStop { partitionsLeft -= 1 }
    }
  }

  private static func say(_ notices: [String]) {
    for notice in notices { Standard.writeError(Message.note(notice)) }
  }
}
