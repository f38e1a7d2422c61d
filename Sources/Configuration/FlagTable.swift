/// Every flag of every command, in the order of the documentation.
///
/// Names and defaults are scripted against: change none without a note in docs/configuration.md.
package enum FlagTable {
  package static let all: [FlagDefinition] =
    input + output + iceberg + windows + running + safety
    + decoding + enrichment + inspection + embedded + generator + drill + everywhere

  /// The flags that a command takes, in order.
  static func flags(of command: Command) -> [FlagDefinition] {
    all.filter { $0.commands.contains(command) }
  }

  /// The flag of that name that a command takes.
  static func flag(_ name: String, of command: Command) -> FlagDefinition? {
    all.first { $0.name == name && $0.commands.contains(command) }
  }

  private static let input: [FlagDefinition] = [
    FlagDefinition(
      "brokers", "HOST:PORT,…", .text,
      help: "the Kafka brokers to ask first, separated by commas",
      [.run, .preview, .generate]),
    FlagDefinition(
      "topic", "NAME", .text, help: "the Kafka topic to read or to feed",
      [.run, .preview, .generate]),
    FlagDefinition(
      "file", "EVENTS.jsonl", .text, repeatable: true,
      help: "read the events of this file, one JSON object a line, in the order given",
      [.run, .preview, .generate]),
    FlagDefinition(
      "from", "earliest|latest|TIMESTAMP", .startPoint, default: "earliest",
      help: "where a new state begins to read; a timestamp is ISO-8601 with offset, or epoch ms",
      [.run, .preview]),
    FlagDefinition(
      "X", "KEY=VALUE", .property, repeatable: true,
      help: "a setting for librdkafka; goes over --kafka-properties",
      [.run, .preview, .generate, .drill]),
    FlagDefinition(
      "kafka-properties", "FILE", .text,
      help: "a file of KEY=VALUE lines for librdkafka: the place for secrets",
      [.run, .preview, .generate, .drill]),
  ]

  private static let output: [FlagDefinition] = [
    FlagDefinition(
      "sink", "[NAME=]SCHEME:PLACE", .text, repeatable: true,
      help: "where sessions are written: sqlite:PATH, jsonl:DIR, postgres://…, kafka:TOPIC or "
        + "iceberg:CATALOG.NAMESPACE.TABLE; its name is the scheme's unless given",
      [.run, .verifySink]),
    FlagDefinition(
      "table", "NAME", .text, default: "sessions", help: "the sessions' table in SQL sinks",
      [.run, .verifySink, .ddl]),
    FlagDefinition(
      boolean: "transactional",
      help: "Kafka sinks write each batch in one transaction: every row once for readers of "
        + "committed records", [.run, .drill]),
    FlagDefinition(
      boolean: "adopt-table",
      help: "take over a table of another job or fingerprint, with its rows and position", [.run]),
    FlagDefinition(
      "accept-missing-rows", "NAME", .text, repeatable: true,
      help: "go on with a sink that has lost rows which the state no longer holds", [.run]),
    FlagDefinition(
      "drop-sink", "NAME", .text, repeatable: true,
      help: "forget a sink of earlier runs that is no longer given", [.run]),
    FlagDefinition(
      "outbox-limit", "ROWS", .integer(1...1_000_000_000), default: "1000000", unit: "rows",
      help: "reading pauses while this many finished sessions wait for a sink", [.run]),
  ]

  private static let iceberg: [FlagDefinition] = [
    FlagDefinition(
      "iceberg-commit-interval", "DURATION", .duration(minimum: 0, allowsOff: false),
      default: "1m", help: "how often rows are committed to an Iceberg table", [.run]),
    FlagDefinition(
      "iceberg-python", "PATH", .text, derived: "that of sojourn iceberg-setup",
      help: "the Python interpreter whose environment drives PyIceberg",
      [.run, .verifySink, .drill]),
    FlagDefinition(
      "dir", "DIR", .text, derived: "~/.local/share/sojourn/iceberg",
      help: "where the Python environment for Iceberg is made", [.icebergSetup]),
  ]

  private static let windows: [FlagDefinition] = [
    FlagDefinition(
      "gap", "DURATION", .duration(minimum: 1, allowsOff: false), default: "5m",
      help: "a session ends when its visitor does nothing for longer than this", [.run]),
    FlagDefinition(
      "split-every", SplitGrid.allCases.map(\.rawValue).joined(separator: "|"),
      .choice(SplitGrid.allCases.map(\.rawValue)), default: "off",
      help: "cut sessions at each UTC day or hour, so that a robot that never pauses has rows",
      [.run]),
    FlagDefinition(
      "out-of-orderness", "DURATION", .duration(minimum: 0, allowsOff: false), default: "1m",
      help: "how far behind its partition's newest event an event may be before it is late",
      [.run]),
    FlagDefinition(
      "idle-timeout", "DURATION|off", .duration(minimum: 1_000, allowsOff: true), default: "1m",
      help: "a partition without events for this long no longer holds the watermark back",
      [.run]),
    FlagDefinition(
      "quiet-close", "DURATION|off", .duration(minimum: 1_000, allowsOff: true),
      derived: "gap + out-of-orderness + idle-timeout; off where that is off",
      help: "every session closes once all partitions have been idle for this long", [.run]),
    FlagDefinition(
      "max-future-skew", "DURATION|off", .duration(minimum: 0, allowsOff: true), default: "10m",
      help: "an event further ahead of its record's time, or of now, is rejected",
      [.run, .preview]),
    FlagDefinition(
      "max-drift", "DURATION|off", .duration(minimum: 0, allowsOff: true), default: "10m",
      help: "a partition further ahead of the slowest one is not read until that catches up",
      [.run]),
  ]

  private static let running: [FlagDefinition] = [
    FlagDefinition(
      "state", "DIR", .text, default: "state", help: "the directory of the job's state",
      [.run, .dump, .purge, .check, .backup, .verifySink]),
    FlagDefinition(
      "job", "NAME", .text, derived: "the topic's name; files with --file",
      help: "the job's name: in the state, in sinks, and as Kafka group", [.run]),
    FlagDefinition(
      "checkpoint-interval", "DURATION", .duration(minimum: 1_000, allowsOff: false),
      default: "5s", help: "how often the state is made durable", [.run]),
    FlagDefinition(
      boolean: "stop-at-end",
      help: "read to where the log ended at the start, deliver, and exit; always so with --file",
      [.run]),
    FlagDefinition(
      boolean: "close-all",
      help: "the end of the log is the end of time: every session closes; needs --stop-at-end "
        + "or --file", [.run]),
    FlagDefinition(
      "run-for", "DURATION|off", .duration(minimum: 1_000, allowsOff: true), default: "off",
      help: "stop cleanly after this time; the next run goes on from there", [.run]),
    FlagDefinition(
      "shutdown-timeout", "DURATION", .duration(minimum: 0, allowsOff: false), default: "30s",
      help: "how long the end of a run waits for a sink that is down", [.run]),
  ]

  private static let safety: [FlagDefinition] = [
    FlagDefinition(
      "on-data-loss", "stop|continue", .choice(["stop", "continue"]), default: "stop",
      help: "what to do when unread records were deleted", [.run]),
    FlagDefinition(
      "late-to", "jsonl:DIR|kafka:TOPIC", .text,
      help: "late records are moved from the state to JSON lines in this directory or topic",
      [.run]),
    FlagDefinition(
      "rejected-to", "jsonl:DIR|kafka:TOPIC", .text,
      help: "rejected records are moved from the state to JSON lines in this directory or topic",
      [.run]),
    FlagDefinition(
      "bots-to", "jsonl:DIR|kafka:TOPIC", .text,
      help: "with --drop-bots, sessions of bots are moved from the state to JSON lines in this "
        + "directory or topic", [.run]),
    FlagDefinition(
      "late-limit", "ROWS", .integer(1...1_000_000_000), default: "1000000", unit: "rows",
      help: "the run stops at this many kept late records; see sojourn purge", [.run]),
    FlagDefinition(
      "rejected-limit", "ROWS", .integer(1...1_000_000_000), default: "1000000", unit: "rows",
      help: "the run stops at this many kept rejected records; see sojourn purge", [.run]),
    FlagDefinition(
      "bots-limit", "ROWS", .integer(1...1_000_000_000), default: "1000000", unit: "rows",
      help: "the run stops at this many kept sessions of bots; with --bots-to, reading pauses",
      [.run]),
  ]

  private static let decoding: [FlagDefinition] = [
    FlagDefinition(
      "preset", Preset.allCases.map(\.rawValue).joined(separator: "|"),
      .choice(Preset.allCases.map(\.rawValue)),
      help: "settings for events as others write them; what is given explicitly goes over",
      [.run, .preview, .ddl]),
    FlagDefinition(
      "field", "NAME=PATH", .fieldPath, repeatable: true,
      help: "where in the event a field stands, for instance ip=client.address",
      [.run, .preview]),
    FlagDefinition(
      "ip-from", "field|header:NAME", .text, default: "field",
      help: "header: the first public address in this header of the event's headers goes over the "
        + "field ip", [.run, .preview]),
    FlagDefinition(
      "key", "FIELD,…", .text, default: "user_id,ip",
      help: "the fields whose values tell visitors apart, in order: user_id, ip, or fields of your "
        + "own that --field maps", [.run, .preview, .ddl]),
    FlagDefinition(
      boolean: "assume-utc", help: "a time without an offset is UTC instead of rejected",
      [.run, .preview]),
    FlagDefinition(
      "event-time-unit", "auto|s|ms|us", .choice(["auto", "s", "ms", "us"]), default: "auto",
      help: "what a numeric event time counts; auto goes by its magnitude",
      [.run, .preview]),
    FlagDefinition(
      "event-time-fallback", "none|record", .choice(["none", "record"]), default: "none",
      help: "record: an event without a time takes its Kafka record's",
      [.run, .preview]),
  ]

  private static let enrichment: [FlagDefinition] = [
    FlagDefinition(
      "geo", "none|mmdb:FILE|ip2location", .text, default: "none",
      help: "where country, state and city of an address come from: a file in MaxMind's format, or "
        + "the API of ip2location.io", [.run]),
    FlagDefinition(
      "geo-key-file", "FILE", .text, derived: "the key is in IP2LOCATION_API_KEY, if there is one",
      help: "a file with the key for --geo ip2location and nothing else", [.run]),
    FlagDefinition(
      "geo-url", "URL", .text, default: "https://api.ip2location.io/",
      help: "where --geo ip2location asks", [.run]),
    FlagDefinition(
      "geo-deadline", "DURATION|off", .duration(minimum: 0, allowsOff: true), default: "30s",
      help: "how long a closed session waits for its geography before its row is made without",
      [.run]),
    FlagDefinition(
      "geo-requests", "N", .integer(1...100), default: "8", unit: "requests",
      help: "how many addresses are asked for at once", [.run]),
    FlagDefinition(
      "geo-ttl", "DURATION", .duration(minimum: 1_000, allowsOff: false), default: "30d",
      help: "how long an answer is kept and serves", [.run]),
    FlagDefinition(
      "geo-cache", "N", .integer(1_000...100_000_000), default: "1000000", unit: "addresses",
      help: "how many answers the state keeps", [.run]),
    FlagDefinition(
      "user-agents", "FILE|off", .text,
      derived: "/usr/share/uap-core/regexes.yaml once a raw header comes",
      help: "definitions of uap-core, by which raw user-agent headers are parsed",
      [.run, .preview]),
    FlagDefinition(
      boolean: "drop-bots",
      help:
        "sessions of bots (is_bot) are kept from the sinks, in the state or where --bots-to says",
      [.run]),
  ]

  private static let inspection: [FlagDefinition] = [
    FlagDefinition(
      "user", "ID", .text, help: "only sessions of this user", [.dump]),
    FlagDefinition(
      "ip", "IP", .text, help: "only sessions from this address", [.dump]),
    FlagDefinition(
      "limit", "N", .integer(1...Int.max), derived: "all", unit: "rows",
      help: "at most this many rows", [.dump]),
    FlagDefinition(
      "limit", "N", .integer(1...10_000), default: "10", unit: "records",
      help: "at most this many records", [.preview]),
    FlagDefinition(
      "timeout", "DURATION", .duration(minimum: 1_000, allowsOff: false), default: "10s",
      help: "how long to wait for brokers and records", [.preview]),
    FlagDefinition(
      "to", "DIR", .text, help: "where the copy goes: a new directory, or an empty one",
      [.backup]),
    FlagDefinition(
      "since", "DATE", .date, derived: "all",
      help: "only sessions that began on this UTC date or later: where older rows were deleted",
      [.verifySink]),
    FlagDefinition(
      "dialect", "sqlite|postgres|spark|trino", .choice(DDLDialect.allCases.map(\.rawValue)),
      help: "whose SQL to write", [.ddl]),
  ]

  private static let embedded: [FlagDefinition] = [
    FlagDefinition(
      "port", "N", .integer(0...65_535), default: "0",
      help: "the loopback port to listen on; 0 takes a free one and prints it", [.broker]),
    FlagDefinition(
      "topic", "NAME[:PARTITIONS]", .text, repeatable: true,
      help: "a topic to create; 1 partition unless said", [.broker]),
  ]

  private static let generator: [FlagDefinition] = [
    FlagDefinition(
      "events", "N", .integer(1...1_000_000_000_000), help: "how many events to make",
      [.generate]),
    FlagDefinition(
      "seed", "S", .integer(0...Int.max), default: "1",
      help: "the same seed and settings make the same events, byte for byte", [.generate]),
    FlagDefinition(
      "visitors", "V", .integer(1...1_000_000_000), derived: "one per 50 events",
      help: "how many visitors there are", [.generate]),
    FlagDefinition(
      "rate", "N", .integer(1...1_000_000_000), default: "100", unit: "events per second",
      help: "events per second of event time", [.generate]),
    FlagDefinition(
      "start", "TIMESTAMP", .timestamp, default: "2025-01-01T00:00:00Z",
      help: "the first event's time: ISO-8601 with offset, or epoch ms", [.generate]),
    FlagDefinition(
      "disorder", "DURATION", .duration(minimum: 0, allowsOff: false), default: "10s",
      help: "how far behind the newest event an event may come", [.generate]),
    FlagDefinition(
      "partitions", "N", .integer(1...100_000), derived: "all of the topic's",
      help: "spread the events over this many partitions, from 0", [.generate]),
    FlagDefinition(
      "throttle", "N", .integer(1...1_000_000_000), derived: "as fast as it goes",
      unit: "events per second", help: "events per second of real time", [.generate]),
  ]

  private static let drill: [FlagDefinition] = [
    FlagDefinition(
      "kills", "N", .integer(1...1_000_000), default: "50",
      help: "how often the process is struck", [.drill]),
    FlagDefinition(
      "events", "N", .integer(1_000...1_000_000_000), default: "200000",
      help: "how many events the drill's log has", [.drill]),
    FlagDefinition(
      "seed", "S", .integer(0...Int.max), default: "1",
      help: "of the events and of the strikes; when a strike hits depends on the machine, too",
      [.drill]),
    FlagDefinition(
      "fault", "KIND", .text, repeatable: true, derived: "kill",
      help: "how it is struck: \(DrillSettings.allFaults.joined(separator: ", ")); several, also "
        + "parted by commas, take turns", [.drill]),
    FlagDefinition(
      "sink",
      DrillSettings.allSinks.joined(separator: "|") + "|postgres://…|iceberg:CATALOG.NAMESPACE",
      .text,
      repeatable: true, derived: "sqlite",
      help: "the kinds of sinks to deliver to, or servers and Iceberg namespaces, each compared; "
        + "parted by commas",
      [.drill]),
    FlagDefinition(
      boolean: "live", help: "the log grows while it is read", [.drill]),
    FlagDefinition(
      "geo-failures", "PERCENT", .integer(0...99), derived: "no geography",
      help: "addresses are looked up at a local service that fails for so many requests; each row "
        + "is to have its geography in the end", [.drill]),
    FlagDefinition(
      "brokers", "HOST:PORT,…", .text,
      help: "drill on this cluster instead of an embedded one", [.drill]),
    FlagDefinition(
      "topic-prefix", "NAME", .text,
      help: "the drill makes a topic NAME-SEED on --brokers, and removes it; an existing one is "
        + "refused", [.drill]),
    FlagDefinition(
      "dir", "DIR", .text, derived: "a temporary one",
      help: "where the drill keeps states, sinks and messages; must be empty or missing", [.drill]),
    FlagDefinition(
      boolean: "keep", help: "leave the directory and the topic when nothing differs, too",
      [.drill]),
  ]

  private static let everywhere: [FlagDefinition] = [
    FlagDefinition(
      "output", "text|json", .choice(OutputFormat.allCases.map(\.rawValue)), default: "text",
      help: "results for people, or JSON for programs",
      [.run, .preview, .dump, .purge, .check, .backup, .verifySink, .drill, .version]),
    FlagDefinition(
      "config", "FILE", .text,
      help: "read further settings from this file: lines of flag-name = value",
      [
        .run, .preview, .dump, .purge, .check, .backup, .verifySink, .ddl, .broker, .generate,
        .drill,
      ]),
  ]
}
