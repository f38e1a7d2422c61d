import Configuration
import EventDecoding
import SessionModel
import Testing

@Test func `a preset gives fields and settings that nothing else gives`() throws {
  let settings = try run("--preset snowplow").decoding
  #expect(settings.fields == Preset.snowplow.fields)
  #expect(settings.assumeUTC)
  #expect(try !run("--preset segment").decoding.assumeUTC)
  #expect(try run("--preset dataexpert").decoding == run().decoding)
}

@Test(arguments: [
  "--assume-utc=false", "SOJOURN_ASSUME_UTC=false", "assume-utc = false",
])
func `every level goes over a preset, wherever that stands`(level: String) throws {
  let flags = level.hasPrefix("--") ? level : ""
  let environment = level.hasPrefix("SOJOURN") ? ["SOJOURN_ASSUME_UTC": "false"] : [:]
  let file = level.hasPrefix("assume") ? level + "\n" : ""
  let below = try run(
    flags + " --config c", environment: environment, files: ["c": "preset = snowplow\n" + file])
  #expect(!below.decoding.assumeUTC)
  let above = try run(
    flags + " --config c --preset snowplow", environment: environment, files: ["c": file])
  #expect(!above.decoding.assumeUTC)
}

@Test func `a field that is given takes the place of the preset's, the others stay`() throws {
  let fields = try run("--preset segment --field ip=client --field host=site").decoding.fields
  #expect(fields.filter { $0.name == "ip" } == [FieldPath(name: "ip", path: "client")])
  #expect(fields.contains(FieldPath(name: "host", path: "site")))
  #expect(fields.contains(FieldPath(name: "user_id", path: "userId")))
}

@Test(arguments: Preset.allCases)
func `a preset's fields are fields of an event`(preset: Preset) throws {
  let key = try run("--preset \(preset.rawValue)").decoding.key
  var mapping = FieldMapping(key: KeyLayout(key))
  for field in preset.fields { try mapping.set(field.name, path: field.path) }
}

@Test func `a preview takes files over the input of a configuration file`() throws {
  let file = "brokers = b:1\ntopic = t\nsink = sqlite:x\n"
  guard case .preview(let plain) = try parse(words("preview --config c"), files: ["c": file]),
    case .preview(let named) = try parse(words("preview --config c a b"), files: ["c": file])
  else { throw WrongCommand() }
  #expect(plain.input == .kafka(KafkaSettings(brokers: "b:1", topic: "t")))
  #expect(plain.limit == 10)
  #expect(plain.timeout == 10_000_000)
  #expect(named.input == .files(["a", "b"]))
  #expect(refusal(["preview"])?.description.contains("nothing to read is named") == true)
}

@Test(arguments: [
  ("--key user_id,ip,user_id", "given twice"), ("--key url", "another column or field"),
  ("--key session_date --field session_date=x", "another column or field"),
  ("--key Cookie --field Cookie=c", "cannot be a column's name"), ("--key a,,b", "cannot be"),
  ("--key cookie", "no --field says where"),
  ("--key a,b,c,d,e --field a=a --field b=b", "at most 4 fields"),
])
func `a key that cannot be is refused`(flags: String, reason: String) throws {
  let refused =
    refusal(
      words("run --brokers b:9092 --topic clicks --sink sqlite:x.db " + flags))?.description ?? ""
  #expect(refused.contains(reason), "\(refused)")
}

@Test func `a preset's field of one's own goes where another key is given`() throws {
  #expect(try run("--preset segment").decoding.key == ["anonymous_id"])
  let other = try run("--preset segment --key user_id,ip").decoding
  #expect(!other.fields.contains { $0.name == "anonymous_id" })
}
