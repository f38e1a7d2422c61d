import KafkaClient
import Platform
import SessionModel
import TestSupport
import Testing

/// The example of a preset in docs/examples.
private func example(_ preset: String) -> String {
  repositoryRoot() + "/docs/examples/\(preset).jsonl"
}

/// The `"field":{…}` of a preview's JSON line.
private func field(_ name: String, in line: Substring) -> Substring? {
  guard let fields = line.firstRange(of: "\"fields\":{"),
    let start = line[fields.upperBound...].firstRange(of: "\"\(name)\":{")
  else { return nil }
  return line[start.upperBound...].prefix { $0 != "}" }
}

/// What each preset's example holds, record by record: field, value.
private let examples: [(preset: String, records: [[String: String?]])] = [
  (
    "dataexpert",
    [
      [
        "user_id": "42", "ip": "203.0.113.7", "event_time": "2025-03-01T10:00:00.125000Z",
        "url": "/bootcamp?utm_source=newsletter&utm_medium=email&utm_campaign=spring",
        "referrer": nil, "host": "www.example.com", "browser_family": "Firefox",
        "os_family": "Ubuntu", "device_family": "Other",
      ],
      [
        "user_id": "42", "ip": "203.0.113.7", "event_time": "2025-03-01T10:00:31.000000Z",
        "referrer": "https://www.example.com/bootcamp",
      ],
    ]
  ),
  (
    "segment",
    [
      [
        "user_id": nil, "ip": "203.0.113.7", "event_time": "2025-03-01T10:00:00.600000Z",
        "anonymous_id": "507f191e-810c-4972-9de8-60ea23b1c0de", "event_type": "page",
        "url": "https://www.example.com/academy/?gclid=EAIaIQ",
        "referrer": "https://www.google.com/", "host": nil,
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:134.0) Gecko/20100101 Firefox/134.0",
      ],
      ["user_id": "97980cfea0067", "event_time": "2025-03-01T10:00:20.600000Z"],
    ]
  ),
  (
    "snowplow",
    [
      [
        "user_id": nil, "ip": "203.0.113.7", "event_time": "2025-03-01T10:00:02.475000Z",
        "domain_userid": "bc2e92ec6c204a14", "event_type": "page_view",
        "url": "https://www.example.com/pricing?utm_source=hn&utm_medium=social",
        "referrer": "https://news.ycombinator.com/", "host": "www.example.com",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:134.0) Gecko/20100101 Firefox/134.0",
      ],
      // Times without an offset, as the tab-separated form has them.
      ["user_id": "jon.doe@example.com", "event_time": "2025-03-01T10:00:32.475000Z"],
    ]
  ),
  (
    "nginx-json",
    [
      [
        "user_id": nil, "ip": "203.0.113.7", "event_time": "2025-03-01T10:00:00.000000Z",
        "url": "/docs/?q=café", "referrer": "https://duckduckgo.com/", "host": "www.example.com",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:134.0) Gecko/20100101 Firefox/134.0",
      ],
      ["user_id": "alice", "ip": "2001:db8::7", "referrer": "", "user_agent": "curl/7.88.1"],
    ]
  ),
]

@Test(arguments: examples.indices)
func `each preset reads its example as events`(index: Int) throws {
  let (preset, records) = examples[index]
  let answer = try Workbench().answer(
    ["preview", "--preset", preset, "--output", "json", example(preset)])
  #expect(answer.ended(.success), "\(answer.messages)")
  let lines = answer.output.split(separator: "\n")
  #expect(lines.count == records.count)
  for (line, record) in zip(lines, records) {
    #expect(line.contains(#""is_event":true,"reason":null"#))
    for (name, value) in record {
      let expected = value.map { #""value":"\#($0)""# } ?? #""value":null"#
      let found = field(name, in: line)
      #expect(found?.contains(expected) == true, "\(preset): \(name) is \(found ?? "missing")")
    }
  }
}

@Test func `what is given explicitly goes over the preset`() throws {
  let answer = try Workbench().answer([
    "preview", "--preset", "nginx-json", "--field", "event_time=msec", "--limit", "1", "--output",
    "json", example("nginx-json"),
  ])
  let line = answer.output.prefix { $0 != "\n" }
  #expect(field("event_time", in: line)?.contains("2025-03-01T10:00:00.125000Z") == true)
  #expect(field("ip", in: line)?.contains("203.0.113.7") == true)
  let strict = try Workbench().answer([
    "preview", "--preset", "snowplow", "--assume-utc=false", example("snowplow"),
  ])
  #expect(strict.ended(.difference))
  #expect(strict.output.contains("rejected as time_without_offset: event_time"))
}

@Test func `a preview shows why each record would be rejected, and ends with 1`() throws {
  let bench = Workbench()
  let file = try bench.write(
    """
    {"ip":"192.0.2.1","event_time":1740823200,"user_id":7.5,"host":["a"]}
    not JSON
    {"ip":"192.0.2.1","event_time":4102444800}
    \(event(at: 0))

    """, to: "events.jsonl")
  let answer = try bench.answer(["preview", file])
  #expect(answer.ended(.difference))
  #expect(answer.output.contains("offset 0: rejected as wrong_type: user_id\n"))
  let agent = answer.output.split(separator: "\n").first { $0.hasPrefix("  os_family") }
  #expect(agent?.split(separator: " ") == ["os_family", "user_agent.os.family", "absent", "-"])
  #expect(answer.output.contains("rejected as not_json\n"))
  #expect(answer.output.contains("rejected as ahead_of_now: event_time\n"))
  #expect(answer.output.contains(": an event\n"))
  // Fields behind the first fault are judged, too.
  let host = answer.output.split(separator: "\n").first { $0.hasPrefix("  host") }
  #expect(host?.hasSuffix("rejected: wrong_type") == true)
  #expect(answer.output.hasSuffix("4 records: 1 as events, 3 rejected\n"))
  #expect(
    answer.messages.contains("3 of 4 records would be rejected: wrong_type 1, not_json 1, "))
}

@Test func `a preview as JSON names the reason, and path, find, value and fault of each field`()
  throws
{
  let topic = try Topic(partitions: 1)
  let record =
    #"{"client":{"ip":"::FFFF:192.0.2.1"},"event_time":1740823200,"user_id":7.5,"url":1}"#
  try topic.send(Array(record.utf8), timestamp: 1_740_823_200_125)
  try topic.send(Array("{".utf8), timestamp: 1_740_823_200_126)
  try topic.flush()
  let answer = try Workbench().answer([
    "preview", "--brokers", topic.cluster.brokers, "--topic", Topic.name, "--field", "ip=client.ip",
    "--output", "json",
  ])
  #expect(answer.ended(.difference))
  let lines = answer.output.split(separator: "\n")
  let first = try #require(lines.first)
  let head =
    #"{"partition":0,"offset":0,"record_time":"2025-03-01T10:00:00.125000Z","is_event":false,"#
    + #""reason":"wrong_type","field":"user_id","fields":{"#
  #expect(first.hasPrefix(head), "\(answer.output)")
  for (name, reading) in [
    ("user_id", #""path":"user_id","found":"number","value":null,"fault":"wrong_type""#),
    ("ip", #""path":"client.ip","found":"string","value":"192.0.2.1","fault":null"#),
    ("url", #""path":"url","found":"integer","value":null,"fault":"wrong_type""#),
    ("host", #""path":"host","found":"absent","value":null,"fault":null"#),
  ] {
    #expect(field(name, in: first).map(String.init) == reading)
  }
  let last = #""is_event":false,"reason":"not_json","field":null,"fields":{}}"#
  #expect(lines.last?.hasSuffix(last) == true)
}

@Test func `a preview of a topic is bounded in records, and leaves no state`() throws {
  let bench = Workbench()
  let topic = try Topic(partitions: 2)
  for second in 0..<30 { try topic.send(event(at: second), partition: Int32(second % 2)) }
  try topic.flush()
  let file = try bench.write(
    "brokers = \(topic.cluster.brokers)\ntopic = \(Topic.name)\nstate = \(bench.state)\n"
      + "sink = sqlite:\(bench.database)\nmax-future-skew = off\n", to: "job.conf")
  let all = try bench.answer([
    "preview", "--config", file, "--limit", "100", "--output", "json",
  ])
  #expect(all.ended(.success), "\(all.messages)")
  #expect(all.output.split(separator: "\n").count == 30)
  let some = try bench.answer(["preview", "--config", file, "--limit", "3"])
  #expect(some.output.hasSuffix("3 records: 3 as events, 0 rejected\n"))
  // A file that is named goes over the topic of the configuration.
  let named = try bench.answer(["preview", "--config", file, example("dataexpert")])
  #expect(named.output.hasSuffix("2 records: 2 as events, 0 rejected\n"))
  #expect(try Files.names(in: bench.path) == ["job.conf"])
}

@Test func `a preview waits for brokers no longer than it was told`() throws {
  let listener = LoopbackListener()
  let answer = try Workbench().answer([
    "preview", "--brokers", "127.0.0.1:\(listener.port)", "--topic", "web", "--timeout", "200ms",
  ])
  #expect(answer.ended(.unavailable), "\(answer.messages)")
  #expect(answer.messages.contains("no broker answered within 200ms"))
  #expect(answer.output.isEmpty)
}

@Test func `a preview shows the families of raw headers as a run would find them`() throws {
  let bench = Workbench()
  let rules = try bench.write(
    """
    user_agent_parsers:
      - regex: '(Fox|Owl)'
    os_parsers:
      - regex: '(Linux)'
    device_parsers:
      - regex: 'bot'
        device_replacement: 'Spider'

    """, to: "regexes.yaml")
  func record(_ agent: String, _ more: String = "") -> String {
    #"{"ip":"192.0.2.1","event_time":1740823200,"user_agent":\#(agent)\#(more)}"#
  }
  let file = try bench.write(
    [
      record("\"Fox on Linux\""), record("\"Owl bot\"", #","client":{"os":"Plan 9"}"#),
      record(#"{"family":"Chrome"}"#), record("\"Fox\"", #","user_id":7.5"#),
    ].joined(separator: "\n") + "\n", to: "events.jsonl")
  let map = ["--field", "os_family=client.os"]
  let names = ["browser_family", "os_family", "device_family"]
  func families(_ flags: [String]) throws -> [[String]] {
    let answer = try bench.answer(["preview", "--output", "json", file] + map + flags)
    #expect(answer.ended(.difference), "\(answer.messages)")
    return try answer.output.split(separator: "\n").map { line in
      try names.map { name in
        let reading = try #require(field(name, in: line))
        return reading.contains(#""value":null"#)
          ? "-" : JSONLine.text("value", in: "{\(reading)}") ?? "?"
      }
    }
  }
  // What was mapped on its own goes over the header; a record that is rejected is shown, too.
  #expect(
    try families(["--user-agents", rules]) == [
      ["Fox", "Linux", "Other"], ["Owl", "Plan 9", "Spider"], ["Chrome", "-", "-"],
      ["Fox", "Other", "Other"],
    ])
  #expect(
    try families(["--user-agents", "off"]) == [
      ["-", "-", "-"], ["-", "Plan 9", "-"], ["Chrome", "-", "-"], ["-", "-", "-"],
    ])
  let run = try bench.run(
    ["--file", file, "--close-all", "--user-agents", rules] + map + bench.sinks)
  #expect(run.ended(.success), "\(run.messages)")
  let rows = try SQLiteFile(bench.database).rows(
    "SELECT browser_family, os_family, device_family FROM sessions")
  #expect(rows == [["Fox", "Linux", "Other"]])
  let text = try bench.answer(["preview", file, "--user-agents", rules, "--limit", "1"])
  let shown = text.output.split(separator: "\n").first { $0.hasPrefix("  browser_family") }
  #expect(shown?.contains("in the header") == true && shown?.hasSuffix("Fox") == true)
  let missing = try bench.answer(["preview", file, "--user-agents", bench.path + "/none"])
  #expect(missing.ended(.configuration) && missing.messages.contains("none"))
}
