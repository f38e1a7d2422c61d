import Configuration
import Console
import Enrichment
import EventDecoding
import EventSources
import Platform
import SessionModel

/// The records of a preview on their way to standard output: a table each for people, a JSON object
/// a line for programs.
struct Preview: ~Copyable {
  private var decoder: EventDecoder
  private let userAgents: RawUserAgents
  private let skew: FutureSkew
  private let format: OutputFormat
  private let limit: Int
  private var event = Event()
  private var records = 0
  /// By code, in the order of their first record.
  private var reasons: [(code: String, count: Int)] = []
  private var text = ""
  private var json = JSONWriter()

  init(
    decoder: consuming EventDecoder, userAgents: RawUserAgents, skew: FutureSkew,
    format: OutputFormat, limit: Int
  ) {
    self.decoder = decoder
    self.userAgents = userAgents
    self.skew = skew
    self.format = format
    self.limit = limit
  }

  /// Whether no more records are wanted.
  var isFull: Bool { records >= limit }

  mutating func show(_ batch: RecordBatch) {
    for record in batch.records.prefix(limit - records) {
      show(record, partition: batch.partition)
      records += 1
    }
  }

  private mutating func show(_ record: SourceRecord, partition: Int32) {
    var inspection = decoder.inspect(
      record.value, valueLength: record.valueLength, recordTime: record.timestamp,
      userAgents: userAgents.families, into: &event)
    if inspection.rejection == nil {
      inspection.rejection = skew.rejection(
        ofEventAt: event.time, recordTime: record.timestamp, now: Clock.wall)
    }
    if let reason = inspection.rejection?.reason { count(reason.code) }
    switch format {
    case .text: appendText(record, inspection, partition: partition)
    case .json: appendJSON(record, inspection, partition: partition)
    }
  }

  private mutating func count(_ code: String) {
    guard let index = reasons.firstIndex(where: { $0.code == code }) else {
      return reasons.append((code, 1))
    }
    reasons[index].count += 1
  }

  private mutating func appendText(
    _ record: SourceRecord, _ inspection: RecordInspection, partition: Int32
  ) {
    let verdict =
      inspection.rejection.map { rejection in
        "rejected as \(rejection.reason.code)"
          + (rejection.field.map { ": \(decoder.mapping.name(of: $0))" } ?? "")
      } ?? "an event"
    text += "partition \(partition), offset \(record.offset): \(verdict)\n"
    if !inspection.fields.isEmpty {
      var table = TextTable([
        .init("  field"), .init("path"), .init("found"), .init("read as", maxWidth: 80),
      ])
      for field in inspection.fields {
        text += table.add([
          "  " + field.name, field.path, field.found,
          field.fault.map { "rejected: \($0.code)" } ?? field.value.map(Preview.quoted) ?? "-",
        ])
      }
      text += table.finish()
    }
    text += "\n"
  }

  /// An empty text is not the same as none.
  private static func quoted(_ value: String) -> String { value.isEmpty ? "\"\"" : value }

  private mutating func appendJSON(
    _ record: SourceRecord, _ inspection: RecordInspection, partition: Int32
  ) {
    json.object { json in
      json.member("partition", partition)
      json.member("offset", record.offset)
      json.member("record_time", time: record.timestamp)
      json.member("is_event", inspection.rejection == nil)
      json.member("reason", inspection.rejection?.reason.code)
      json.member("field", inspection.rejection?.field.map { decoder.mapping.name(of: $0) })
      json.object("fields") { json in
        for field in inspection.fields {
          json.object(field.name) { json in
            json.member("path", field.path)
            json.member("found", field.found)
            json.member("value", field.value)
            json.member("fault", field.fault?.code)
          }
        }
      }
    }
    json.endLine()
  }

  /// - Throws: exit code 1 where a record would be rejected, 74 where it cannot be written.
  consuming func finish() throws(CommandFailure) {
    let rejected = reasons.reduce(0) { $0 + $1.count }
    let all = "\(records) \(records == 1 ? "record" : "records")"
    if format == .text { text += "\(all): \(records - rejected) as events, \(rejected) rejected\n" }
    let bytes = format == .text ? Array(text.utf8) : json.bytes
    try StandardOutput.write { (writer) throws(OutputError) in try writer.write(bytes) }
    if rejected == 0 { return }
    throw CommandFailure(
      .difference,
      "\(rejected) of \(all) would be rejected: "
        + reasons.map { "\($0.code) \($0.count)" }.joined(separator: ", "),
      state: .untouched,
      remedy: "map what stands elsewhere with --field or --preset; what each reason means is in "
        + "docs/semantics.md")
  }
}
