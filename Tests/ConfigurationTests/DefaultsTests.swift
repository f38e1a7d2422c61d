import Configuration
import SessionModel
import Testing

private let second = Microseconds.perSecond

@Test func `run's defaults are those that are scripted against`() throws {
  let settings = try run()
  #expect(settings.stateDirectory == "state")
  #expect(settings.job == "clicks")
  #expect(settings.gap == 300 * second)
  #expect(settings.outOfOrderness == 60 * second)
  #expect(settings.idleTimeout == 60 * second)
  #expect(settings.quietClose == 420 * second)
  #expect(settings.maxFutureSkew == 600 * second)
  #expect(settings.maxDrift == 600 * second)
  #expect(settings.checkpointInterval == 5 * second)
  #expect(settings.from == .earliest)
  #expect(!settings.stopAtEnd)
  #expect(!settings.closeAll)
  #expect(settings.runFor == nil)
  #expect(settings.shutdownTimeout == 30 * second)
  #expect(settings.onDataLoss == .stop)
  #expect(settings.outboxLimit == 1_000_000)
  for output in SideOutput.allCases {
    #expect(settings[output] == SideSettings(place: nil, limit: 1_000_000))
  }
  #expect(!settings.dropsBots)
  #expect(!settings.adoptTable)
  #expect(settings.acceptMissingRows.isEmpty)
  #expect(settings.dropSinks.isEmpty)
  #expect(settings.table == "sessions")
  #expect(settings.decoding.fields.isEmpty)
  #expect(!settings.decoding.assumeUTC)
  #expect(settings.decoding.eventTimeUnit == .auto)
  #expect(settings.decoding.eventTimeFallback == .none)
  #expect(settings.decoding.ipHeader == nil)
  #expect(settings.geo == .none)
  #expect(settings.userAgents == .system)
  #expect(settings.output == .text)
}

@Test func `run's flags bear the names that are scripted against`() {
  let names = [
    "brokers", "topic", "file", "sink", "state", "job", "gap", "out-of-orderness", "idle-timeout",
    "quiet-close", "max-future-skew", "max-drift", "checkpoint-interval", "from", "stop-at-end",
    "close-all", "run-for", "shutdown-timeout", "on-data-loss", "outbox-limit", "adopt-table",
    "accept-missing-rows", "drop-sink", "table", "field", "assume-utc", "event-time-unit",
    "event-time-fallback", "X", "config",
  ]
  let known = FlagTable.all.filter { $0.commands.contains(.run) }.map(\.name)
  #expect(Set(names).subtracting(known).isEmpty)
}

@Test func `every value of run arrives where it belongs`() throws {
  let settings = try runExactly(
    words(
      """
      --brokers a:1,b:2 --topic t --sink one=sqlite:x.db --sink jsonl:out --state s --job j --gap 7m \
      --out-of-orderness 0 --idle-timeout 9s --quiet-close 11s --max-future-skew off \
      --max-drift 13s --checkpoint-interval 10ms --from latest --stop-at-end --close-all \
      --run-for 1h --shutdown-timeout 15s --on-data-loss continue --outbox-limit 17 \
      --late-limit 19 --rejected-limit 23 --adopt-table --accept-missing-rows one \
      --drop-sink old --table visits --field ip=client.address --field url=page --assume-utc \
      --event-time-unit ms --event-time-fallback record --geo mmdb:c.mmdb --user-agents u.yaml \
      --drop-bots --bots-to jsonl:bots --bots-limit 29 \
      --ip-from header:x-real-ip \
      -X a=b -Xc=d=e --output json
      """))
  #expect(
    settings.input
      == .kafka(
        KafkaSettings(
          brokers: "a:1,b:2", topic: "t",
          properties: [
            KafkaProperty(key: "a", value: "b"), KafkaProperty(key: "c", value: "d=e"),
          ])))
  #expect(settings.sinks == ["one=sqlite:x.db", "jsonl:out"])
  #expect(settings.stateDirectory == "s")
  #expect(settings.job == "j")
  #expect(settings.gap == 420 * second)
  #expect(settings.outOfOrderness == 0)
  #expect(settings.idleTimeout == 9 * second)
  #expect(settings.quietClose == 11 * second)
  #expect(settings.maxFutureSkew == nil)
  #expect(settings.maxDrift == 13 * second)
  #expect(settings.checkpointInterval == 10_000)
  #expect(settings.from == .latest)
  #expect(settings.stopAtEnd)
  #expect(settings.closeAll)
  #expect(settings.runFor == 3_600 * second)
  #expect(settings.shutdownTimeout == 15 * second)
  #expect(settings.onDataLoss == .continue)
  #expect(settings.outboxLimit == 17)
  #expect(settings.late == SideSettings(place: nil, limit: 19))
  #expect(settings.rejected == SideSettings(place: nil, limit: 23))
  #expect(settings.bots == SideSettings(place: "jsonl:bots", limit: 29))
  #expect(settings.dropsBots)
  #expect(settings.adoptTable)
  #expect(settings.acceptMissingRows == ["one"])
  #expect(settings.dropSinks == ["old"])
  #expect(settings.table == "visits")
  #expect(
    settings.decoding.fields
      == [FieldPath(name: "ip", path: "client.address"), FieldPath(name: "url", path: "page")])
  #expect(settings.decoding.assumeUTC)
  #expect(settings.decoding.eventTimeUnit == .milliseconds)
  #expect(settings.decoding.eventTimeFallback == .record)
  #expect(settings.decoding.ipHeader == "x-real-ip")
  #expect(settings.geo == .mmdb("c.mmdb"))
  #expect(settings.userAgents == .file("u.yaml"))
  #expect(settings.output == .json)
}

@Test func `a geography service has defaults, and each of its values arrives`() throws {
  guard case .ip2location(let standard) = try run("--geo ip2location").geo,
    case .ip2location(let given) = try run(
      """
      --geo ip2location --geo-url http://127.0.0.1:9/a?b=c --geo-key-file k --geo-deadline off \
      --geo-requests 3 --geo-ttl 1h --geo-cache 5000
      """
    ).geo
  else { return #expect(Bool(false)) }
  #expect(standard.url == "https://api.ip2location.io/" && standard.keyFile == nil)
  #expect(standard.deadline == 30 * second && standard.requests == 8)
  #expect(standard.timeToLive == 30 * 86_400 * second && standard.cachedAddresses == 1_000_000)
  #expect(given.url == "http://127.0.0.1:9/a?b=c" && given.keyFile == "k")
  #expect(given.deadline == nil && given.requests == 3)
  #expect(given.timeToLive == 3_600 * second && given.cachedAddresses == 5_000)
}

@Test(arguments: [
  ("", 420 * second as Microseconds?), ("--gap 1m", 180 * second),
  ("--out-of-orderness 0", 360 * second), ("--idle-timeout 2m", 480 * second),
  ("--idle-timeout off", nil), ("--quiet-close off", nil), ("--quiet-close 1s", second),
])
func `quiet close follows from gap, out-of-orderness and idle time-out unless it is given`(
  flags: String, expected: Microseconds?
) throws {
  #expect(try run(flags).quietClose == expected)
}

@Test(arguments: [
  ("", 0 as Microseconds), ("--split-every off", 0), ("--split-every 1h", 3_600 * second),
  ("--split-every 1d", 86_400 * second),
])
func `sessions are cut at the grid that is named, by default at none`(
  flags: String, expected: Microseconds
) throws {
  #expect(try run(flags).split == expected)
}

@Test func `files are read to their end, by the job files`() throws {
  let settings = try runExactly(words("--file a.jsonl --file=b.jsonl --sink jsonl:out --close-all"))
  #expect(settings.input == .files(["a.jsonl", "b.jsonl"]))
  #expect(settings.job == "files")
  #expect(settings.stopAtEnd)
  #expect(settings.closeAll)
}

@Test(arguments: [
  ("earliest", StartPoint.earliest), ("latest", .latest),
  ("1700000000123", .time(1_700_000_000_123_000)),
  ("2015-05-17T10:05:03Z", .time(1_431_857_103_000_000)),
])
func `reading starts where --from says`(text: String, expected: StartPoint) throws {
  #expect(try run("--from \(text)").from == expected)
}

@Test func `dump shows the summary of state as text unless told otherwise`() throws {
  guard case .dump(let plain) = try parse(["dump"]) else { throw WrongCommand() }
  #expect(plain.view == .summary)
  #expect(plain.stateDirectory == "state")
  #expect(plain.user == nil)
  #expect(plain.limit == nil)
  #expect(plain.output == .text)
  let line = words("dump sessions --state s --user 42 --ip ::1 --limit 3 --output json")
  guard case .dump(let full) = try parse(line) else { throw WrongCommand() }
  #expect(full.view == .sessions)
  #expect(full.stateDirectory == "s")
  #expect(full.user == "42")
  #expect(full.ip == "::1")
  #expect(full.limit == 3)
  #expect(full.output == .json)
}

@Test(arguments: DumpView.allCases)
func `each view of dump is named by its word`(view: DumpView) throws {
  guard case .dump(let settings) = try parse(["dump", view.rawValue]) else { throw WrongCommand() }
  #expect(settings.view == view)
}

@Test func `the small commands read their flags`() throws {
  guard case .purge(let purge) = try parse(words("purge late --state s")),
    case .ddl(let ddl) = try parse(words("ddl --dialect trino --table visits")),
    case .version(let version) = try parse(words("version --output=json"))
  else { throw WrongCommand() }
  #expect(purge.target == .late)
  #expect(purge.stateDirectory == "s")
  #expect(ddl.dialect == .trino)
  #expect(ddl.table == "visits")
  #expect(version.output == .json)
}

@Test func `a broker takes any free port and topics of one partition unless told otherwise`() throws
{
  guard case .broker(let plain) = try parse(["broker"]),
    case .broker(let full) = try parse(words("broker --port 9092 --topic a:64 --topic b"))
  else { throw WrongCommand() }
  #expect(plain.port == 0)
  #expect(plain.topics.isEmpty)
  #expect(full.port == 9_092)
  #expect(full.topics.map(\.name) == ["a", "b"])
  #expect(full.topics.map(\.partitions) == [64, 1])
}

@Test func `generate makes traffic for standard output unless told otherwise`() throws {
  guard case .generate(let plain) = try parse(words("generate --events 1000")),
    case .traffic(let traffic) = plain.content
  else { throw WrongCommand() }
  #expect(plain.kafka == nil)
  #expect(plain.throttle == nil)
  #expect(traffic.events == 1_000)
  #expect(traffic.seed == 1)
  #expect(traffic.visitors == 20)
  #expect(traffic.rate == 100)
  #expect(traffic.start == 1_735_689_600_000_000)
  #expect(traffic.disorder == 10 * second)
}

@Test func `generate feeds a topic, made events or those of a file`() throws {
  let flags = "--brokers b:1 --topic t --partitions 4 --throttle 500"
  guard
    case .generate(let made) = try parse(
      words(
        "generate --events 9 --seed 7 --visitors 3 --rate 5 --start 1000 --disorder 2s " + flags)),
    case .traffic(let traffic) = made.content,
    case .generate(let copied) = try parse(words("generate --file a --file b " + flags))
  else { throw WrongCommand() }
  #expect(traffic.seed == 7)
  #expect(traffic.visitors == 3)
  #expect(traffic.rate == 5)
  #expect(traffic.start == 1_000_000)
  #expect(traffic.disorder == 2 * second)
  #expect(made.kafka?.topic == "t")
  #expect(made.partitions == 4)
  #expect(made.throttle == 500)
  #expect(copied.content == .files(["a", "b"]))
}

@Test func `a drill kills, on an embedded cluster, unless told otherwise`() throws {
  guard case .drill(let plain) = try parse(["drill"]),
    case .drill(let full) = try parse(
      words(
        """
        drill --kills 7 --events 5000 --seed 9 --fault stop,state-old --fault kill \
        --sink jsonl,sqlite --live --brokers b:1 --topic-prefix p --dir d --keep --output json
        """))
  else { throw WrongCommand() }
  #expect(plain.faults == ["kill"])
  #expect(plain.sinks == ["sqlite"])
  #expect(plain.kills == 50)
  #expect(plain.events == 200_000)
  #expect(plain.seed == 1)
  #expect(!plain.isLive && !plain.keep)
  #expect(plain.directory == nil && plain.kafka == nil)
  #expect(plain.output == .text)
  #expect(full.faults == ["stop", "state-old", "kill"])
  #expect(full.sinks == ["jsonl", "sqlite"])
  #expect(full.kills == 7 && full.events == 5_000 && full.seed == 9)
  #expect(full.isLive && full.keep)
  #expect(full.directory == "d")
  #expect(full.kafka == KafkaSettings(brokers: "b:1", topic: "p"))
  #expect(full.output == .json)
}

@Test(arguments: [
  ("--fault kil", "did you mean kill?"), ("--fault kill,kill", "given twice"),
  ("--sink sqlite:x.db", "not one of sqlite, jsonl"), ("--events 10", "from 1000 to"),
  ("--brokers b:1", "--topic-prefix is missing"), ("--topic-prefix p", "--brokers is missing"),
  ("-X a=b", "the embedded cluster needs no settings"),
  ("--brokers b:1 --topic-prefix p --fault leader-change", "that the drill can stop"),
])
func `a drill that cannot be meant is refused`(flags: String, reason: String) {
  let refused = refusal(words("drill " + flags))?.description ?? ""
  #expect(refused.contains(reason), "\(refused)")
}
