import Configuration
import SessionModel
import Testing

private let base = "run --brokers b:1 --topic t --sink sqlite:x "

/// A command line and what its refusal has to say.
struct Refusal: CustomTestStringConvertible {
  let line: String
  let parts: [String]

  init(_ line: String, _ parts: String...) {
    self.line = line
    self.parts = parts
  }

  var testDescription: String { line }
}

@Test(arguments: [
  Refusal("", "no command", "sojourn help"),
  Refusal("dmup", "no command \"dmup\"", "did you mean dump?"),
  Refusal("--gap 5m run", "command comes before its flags"),
  Refusal("help ruin", "no command \"ruin\"", "did you mean run?"),
  Refusal(base + "--gpa 5m", "unknown flag --gpa", "did you mean --gap?"),
  Refusal(base + "--stop-at-ned", "--stop-at-ned", "did you mean --stop-at-end?"),
  Refusal(base + "--zzzzzzzz", "unknown flag --zzzzzzzz", "sojourn help run"),
  Refusal(base + "-g 5m", "unknown flag -g"),
  Refusal("dump --gap 5m", "dump takes no --gap", "flag of run"),
  Refusal("dump -X a=b", "dump takes no -X", "flag of run, preview, generate"),
  Refusal(base + "--X a=b", "one dash", "-X KEY=VALUE"),
  Refusal(base + "--gap", "--gap needs a value: DURATION"),
  Refusal(base + "--gap --job j", "--gap needs a value", "--gap=VALUE"),
  Refusal(base + "-X", "-X needs a value: KEY=VALUE"),
  Refusal(base + "--job=", "--job: the value is empty"),
  Refusal(base + "--gap 1m --gap 2m", "--gap is given more than once"),
  Refusal(base + "more", "run does not take the argument \"more\""),
  Refusal("ddl --dialect sqlite x", "does not take the argument \"x\""),
])
func `a command line that cannot be understood is refused`(_ refused: Refusal) throws {
  try check(refused)
}

@Test(arguments: [
  Refusal(base + "--gap 5", "--gap: \"5\" is not a duration: its unit is missing", "5s or 5m"),
  Refusal(base + "--gap soon", "--gap", "\"soon\" is not a duration", "30s"),
  Refusal(base + "--gap off", "--gap", "not a duration"),
  Refusal(base + "--gap 0", "--gap: \"0\" is too short: the least is 1us"),
  Refusal(base + "--idle-timeout of", "--idle-timeout", "or off"),
  Refusal(base + "--checkpoint-interval 0s", "--checkpoint-interval", "the least is 1ms"),
  Refusal(base + "--outbox-limit 0", "--outbox-limit: \"0\" is not a whole number from 1 to"),
  Refusal(base + "--outbox-limit many", "--outbox-limit", "digits only"),
  Refusal("dump --limit -1", "--limit needs a value"),
  Refusal("dump --limit=-1", "\"-1\" is not a whole number of 1 or more"),
  Refusal("broker --port 65536", "--port", "from 0 to 65535"),
  Refusal(base + "--on-data-loss contniue", "stop, continue", "did you mean continue?"),
  Refusal(base + "--event-time-unit h", "--event-time-unit", "auto, s, ms, us"),
  Refusal(base + "--stop-at-end=yes", "--stop-at-end: must be true or false"),
  Refusal(base + "--ip-from x-forwarded-for", "--ip-from", "header:NAME"),
  Refusal(base + "--geo mmbd:c", "--geo", "did you mean mmdb?", "mmdb:FILE"),
  Refusal(base + "--geo mmdb:", "--geo", "mmdb:FILE"),
  Refusal(base + "--geo ip2locaton", "--geo", "did you mean ip2location?", "ip2location"),
  Refusal(base + "--geo-deadline 1m", "--geo-deadline", "--geo ip2location"),
  Refusal(base + "--geo mmdb:f --geo-key-file k", "--geo-key-file", "--geo ip2location"),
  Refusal(base + "--geo ip2location --geo-url ftp://x/", "--geo-url", "https://"),
  Refusal(base + "--geo ip2location --geo-url https://x/?key=1", "--geo-url", "--geo-key-file"),
  Refusal(base + "--geo ip2location --geo-url https://u:p@x/", "--geo-url", "--geo-key-file"),
  Refusal(base + "--geo ip2location --geo-requests 0", "--geo-requests", "1"),
  Refusal(base + "--from erliest", "--from", "did you mean earliest?"),
  Refusal(base + "--from 2015-05-17", "--from", "ISO-8601 with an offset"),
  Refusal(base + "--table a-b", "--table: \"a-b\" cannot be a table's name"),
  Refusal(base + "--table 1a", "--table", "no digit first"),
  Refusal(base + "--field ip", "--field: \"ip\" is not NAME=PATH"),
  Refusal(base + "--field ip=a --field ip=b", "field ip is mapped twice"),
  Refusal(base + "-X novalue", "-X", "KEY=VALUE"),
  Refusal(base + "-X group.id=g", "group.id is set by sojourn itself", "--job"),
  Refusal(base + "-X enable.auto.commit=true", "enable.auto.commit", "leave it out"),
  Refusal("run --brokers b --topic t --sink jsonl:o", "--brokers: \"b\" is not HOST:PORT"),
  Refusal("run --brokers b:1,:2 --topic t --sink jsonl:o", "\":2\" is not HOST:PORT"),
  Refusal("run --brokers b:0 --topic t --sink jsonl:o", "\"b:0\" is not HOST:PORT"),
  Refusal(
    "run --brokers b:1 --topic a/b --sink jsonl:o", "--topic: \"a/b\" cannot be a topic's name"),
  Refusal("broker --topic t:none", "\"t:none\"", "t:4"),
  Refusal("broker --topic t:0", "from 1 to 10000"),
  Refusal("broker --topic t:1 --topic t:2", "topic t is given twice"),
  Refusal("dump sesions", "dump has no view \"sesions\"", "did you mean sessions?"),
  Refusal("dump late rejected", "one view, not 2"),
  Refusal("ddl --dialect postgre", "did you mean postgres?"),
  Refusal("generate --events 5 --start now", "--start: \"now\" is not a point in time"),
])
func `a value that cannot be is refused, naming its flag`(_ refused: Refusal) throws {
  try check(refused)
}

@Test(arguments: [
  Refusal("run --sink sqlite:x", "nothing to read", "--brokers and --topic, or --file"),
  Refusal("run --topic t --sink sqlite:x", "--brokers is missing"),
  Refusal("run --brokers b:1 --sink sqlite:x", "--topic is missing"),
  Refusal(base + "--file a", "--brokers and --file exclude each other"),
  Refusal("run --file a --sink jsonl:o --from latest", "--from and --file exclude each other"),
  Refusal("run --file a --sink jsonl:o -X a=b", "-X and --file exclude each other"),
  Refusal("run --file a --sink jsonl:o --event-time-fallback record", "no Kafka timestamp"),
  Refusal("run --brokers b:1 --topic t", "no sink is given", "--sink sqlite:"),
  Refusal(base + "--sink nothing", "--sink: a sink is [NAME=]SCHEME:PLACE"),
  Refusal(base + "--sink =sqlite:x", "a sink is [NAME=]SCHEME:PLACE"),
  Refusal(base + "--sink sqlite:y", "two sinks have the name sqlite", "--sink OTHER="),
  Refusal(base + "--sink a=jsonl:x --sink a=jsonl:y", "two sinks have the name a"),
  Refusal(base + "--drop-sink sqlite", "sink sqlite is also given with --sink"),
  Refusal(base + "--accept-missing-rows sqlit", "no sink has the name", "did you mean sqlite?"),
  Refusal(base + "--close-all", "--close-all", "--stop-at-end"),
  Refusal(base + "--close-all --stop-at-end=false", "--close-all"),
  Refusal(base + "--idle-timeout off --quiet-close 1m", "--quiet-close", "idle-timeout off"),
  Refusal(base + "--bots-to jsonl:b", "--bots-to", "--drop-bots"),
  Refusal(base + "--bots-to jsonl:b --drop-bots=false", "--bots-to", "--drop-bots"),
  Refusal("purge", "purge is not told", "purge late", "purge bots"),
  Refusal("ddl", "--dialect is missing", "sqlite, postgres, spark, trino"),
  Refusal("dump late --user 4", "--user", "sojourn dump sessions"),
  Refusal("generate", "--events is missing"),
  Refusal("generate --events 5 --partitions 2", "--partitions", "--brokers and --topic"),
  Refusal("generate --events 5 --topic t", "--brokers is missing"),
  Refusal("generate --file a --seed 5", "--seed and --file exclude each other"),
])
func `what does not go together is refused, naming both`(_ refused: Refusal) throws {
  try check(refused)
}

@Test func `a value from the environment is refused by its variable's name`() throws {
  let error = try #require(refusal(words(base), environment: ["SOJOURN_GAP": "5"]))
  #expect(error.problem.hasPrefix("environment variable SOJOURN_GAP: \"5\" is not a duration"))
}

@Test(arguments: [
  ("\n# c\ngap = 5", "c.conf:3 (gap): \"5\" is not a duration"),
  ("gap = 1m\n\ngap = 2m", "c.conf:3: gap is given more than once: first c.conf:1 (gap)"),
  ("max_drift = 1m", "c.conf:1: unknown setting max_drift; did you mean max-drift?"),
  ("--gap = 1m", "c.conf:1: unknown setting --gap; did you mean gap?"),
  ("\nzzzzzzzz = 1m", "c.conf:2: unknown setting zzzzzzzz"),
  ("stop-at-end", "c.conf:1: stop-at-end has no value"),
  ("gap =", "c.conf:1: gap has an empty value"),
  ("config = d", "c.conf:1: a configuration file cannot name another one"),
  ("stop-at-end = 1", "c.conf:1 (stop-at-end): must be true or false"),
  ("drop-sink = a\ndrop-sink = sqlite", "c.conf:2 (drop-sink): the sink sqlite is also given"),
  ("file = a", "--brokers and c.conf:1 (file) exclude each other"),
])
func `a line of the configuration file is refused by file and line`(
  file: String, problem: String
) throws {
  let error = try #require(
    refusal(words(base + "--config c.conf"), files: ["c.conf": file]))
  #expect(error.problem.hasPrefix(problem))
  #expect(!error.remedy.isEmpty)
}

@Test func `a file that cannot be read is named with the setting that names it`() throws {
  let config = try #require(
    refusal(words(base), environment: ["SOJOURN_CONFIG": "/no/file"]))
  #expect(config.problem.hasPrefix("environment variable SOJOURN_CONFIG: cannot read \"/no/file\""))
  #expect(config.problem.contains("No such file"))
  let properties = try #require(refusal(words(base + "--kafka-properties p")))
  #expect(properties.problem.hasPrefix("--kafka-properties: cannot read \"p\""))
}

private func check(_ refused: Refusal) throws {
  let error = try #require(refusal(words(refused.line)), "nothing was refused")
  for part in refused.parts {
    #expect(error.description.contains(part), "said: \(error.description)")
  }
  #expect(error.exitCode == .usage)
  #expect(!error.remedy.isEmpty)
}
