import Configuration
import SessionModel
import Testing

private let minute = 60 * Microseconds.perSecond

@Test(
  arguments: [
    ("--gap 1m", ["SOJOURN_GAP": "2m"], "gap = 3m", 1), ("", ["SOJOURN_GAP": "2m"], "gap = 3m", 2),
    ("", [:], "gap = 3m", 3), ("", [:], "", 5), ("--gap=1m", [:], "gap = 3m", 1),
  ] as [(String, [String: String], String, Int64)])
func `flags go over the environment, that over the file, that over the default`(
  flags: String, environment: [String: String], file: String, minutes: Int64
) throws {
  let settings = try run(
    "--config c " + flags, environment: environment, files: ["c": file])
  #expect(settings.gap == minutes * minute)
}

@Test func `a list replaces those of lower levels as a whole`() throws {
  let file = "drop-sink = f1\ndrop-sink = f2\n"
  let environment = ["SOJOURN_DROP_SINK": "e1\n e2 \n\n"]
  let all = try run(
    "--config c --drop-sink a --drop-sink b", environment: environment, files: ["c": file])
  #expect(all.dropSinks == ["a", "b"])
  #expect(
    try run("--config c", environment: environment, files: ["c": file]).dropSinks == ["e1", "e2"])
  #expect(try run("--config c", files: ["c": file]).dropSinks == ["f1", "f2"])
}

@Test func `a list in the environment is not split at commas`() throws {
  let settings = try run(environment: ["SOJOURN_FIELD": "ip=a,b\nurl=c"])
  #expect(
    settings.decoding.fields
      == [FieldPath(name: "ip", path: "a,b"), FieldPath(name: "url", path: "c")])
}

@Test func `an environment variable without text counts as not set`() throws {
  #expect(try run(environment: ["SOJOURN_GAP": "  "]).gap == 5 * minute)
}

@Test(arguments: [
  ("", "stop-at-end = true", true), ("", "stop-at-end = false", false),
  ("--stop-at-end", "stop-at-end = false", true),
  ("--stop-at-end=false", "stop-at-end = true", false),
])
func `a boolean can be switched off again by a higher level`(
  flags: String, file: String, expected: Bool
) throws {
  #expect(try run("--config c " + flags, files: ["c": file]).stopAtEnd == expected)
}

@Test func `the environment names the configuration file, a flag another one`() throws {
  let files = ["one": "gap = 1m", "two": "gap = 2m"]
  let environment = ["SOJOURN_CONFIG": "one"]
  #expect(try run(environment: environment, files: files).gap == minute)
  #expect(try run("--config two", environment: environment, files: files).gap == 2 * minute)
}

@Test func `a file may hold comments, blanks, carriage returns and other commands' flags`() throws {
  let file =
    "# what we run\r\n\r\n  gap\t=  7m  \r\nevents = 12\n  # more\nX = a = b=c\nX = d=e\nsink=jsonl:o"
  let settings = try runExactly(
    words("--brokers b:1 --topic t --config c"), files: ["c": file])
  #expect(settings.gap == 7 * minute)
  #expect(settings.sinks == ["jsonl:o"])
  guard case .kafka(let kafka) = settings.input else { throw WrongCommand() }
  #expect(kafka.properties.map(\.key) == ["a", "d"])
  #expect(kafka.properties.map(\.value) == [" b=c", "e"])
}

@Test func `a property of -X goes over the properties file, in its place`() throws {
  let file = "! for librdkafka\n# too\na = 1\nb=2\n\nc=x=y \n"
  let settings = try run("--kafka-properties p -X b=3 -X d=4 -X b=5", files: ["p": file])
  guard case .kafka(let kafka) = settings.input else { throw WrongCommand() }
  #expect(kafka.properties.map(\.key) == ["a", "b", "c", "d"])
  #expect(kafka.properties.map(\.value) == ["1", "5", "x=y", "4"])
}

@Test func `a variable that is nearly a setting's is warned of, others are not`() {
  let warnings = Invocation.warnings(about: [
    "SOJOURN_MAX_DRFIT": "1m", "SOJOURN_SERVICE_HOST": "10.0.0.1", "SOJOURN_GAP": "1m",
    "GAPP": "1m",
  ])
  #expect(warnings.count == 1)
  #expect(warnings.first?.contains("SOJOURN_MAX_DRFIT") == true)
  #expect(warnings.first?.contains("did you mean SOJOURN_MAX_DRIFT?") == true)
}
