import Configuration
import EventDecoding
import SessionModel
import Sinks

/// Text → settings. An input has up to four parts with a zero byte between them: arguments, one a
/// line; the file of `--config c`; that of `--kafka-properties p`; variables, `NAME=VALUE` a line.
/// Each line of the arguments is also read as each kind of value.
enum ConfigurationCheck {
  static func run(_ input: UnsafeRawBufferPointer) throws(FuzzFinding) {
    let parts = input.split(separator: 0, maxSplits: 3, omittingEmptySubsequences: false)
    func part(_ index: Int) -> [UInt8] { index < parts.count ? Array(parts[index]) : [] }
    let arguments = lines(part(0))
    let world = World(
      files: ["c": part(1), "p": part(2)], environment: environment(lines(part(3))))
    if let settings = try runSettings(arguments, world) { try RunRendering.check(settings) }
    for text in arguments { try ValueCheck.run(text) }
  }

  struct World {
    var files: [String: [UInt8]] = [:]
    var environment: [String: String] = [:]
  }

  /// The settings, where the arguments are those of a run and right.
  static func runSettings(
    _ arguments: [String], _ world: World
  ) throws(FuzzFinding) -> RunSettings? {
    do throws(UsageError) {
      let invocation = try Invocation(
        arguments: arguments, environment: world.environment,
        readFile: FileReader { (path) throws(FileReader.Failure) in
          guard let bytes = world.files[path] else { throw FileReader.Failure("not there") }
          return bytes
        })
      if case .run(let settings) = invocation { return settings }
    } catch {
      try require(!error.problem.isEmpty && !error.remedy.isEmpty, "an error without text")
      try require(error.exitCode == .usage, "an error with exit code \(error.exitCode)")
    }
    return nil
  }

  private static func lines(_ bytes: [UInt8]) -> [String] {
    bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
  }

  private static func environment(_ lines: [String]) -> [String: String] {
    var variables: [String: String] = [:]
    for line in lines {
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
    }
    return variables
  }
}

/// One text as each kind of value; what is taken is rendered and read again.
enum ValueCheck {
  static func run(_ text: String) throws(FuzzFinding) {
    if let span = try? DurationText.parse(text) {
      try require((0...DurationText.longest).contains(span), "a duration of \(span) µs")
      try require(
        (try? DurationText.parse(DurationText.text(span))) == span,
        "\(DurationText.text(span)) is another duration than \(text)")
    }
    if let time = Configuration.TimestampText.parse(text) {
      try require((0...Microseconds.latest).contains(time), "a time of \(time) µs")
      try require(
        Configuration.TimestampText.parse(TimeText.timestamp(time)) == time,
        "\(TimeText.timestamp(time)) is another time than \(text)")
    }
    try checkSink(text)
    try checkPath(text)
  }

  private static func checkPath(_ text: String) throws(FuzzFinding) {
    var mapping = FieldMapping()
    var refusal: MappingError?
    do throws(MappingError) { try mapping.set("url", path: text) } catch { refusal = error }
    if let refusal { return try require(!refusal.description.isEmpty, "an error without text") }
    try require(!mapping.path(of: .url).contains(""), "an empty key in the path \(text)")
  }

  private static func checkSink(_ text: String) throws(FuzzFinding) {
    guard let sink = try? SinkAddress(parsing: text) else { return }
    try require(
      SinkFlag.name(of: text) == sink.name, "the flag's name for \(text) is not \(sink.name)")
    let rendered = "\(sink.name)=\(sink.redacted)"
    try require(
      (try? SinkAddress(parsing: rendered)) == sink, "\(rendered) is another sink than \(text)")
  }
}
