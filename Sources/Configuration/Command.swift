import SessionModel

/// What the first word of a command line asks for.
package enum Command: String, CaseIterable, Sendable {
  case run
  case preview
  case dump
  case purge
  case check
  case backup
  case verifySink = "verify-sink"
  case ddl
  case icebergSetup = "iceberg-setup"
  case broker
  case generate
  case drill
  case version
  case help

  /// One line for the list of commands.
  package var summary: String {
    switch self {
    case .run: "turn a Kafka topic, or files, into a table of sessions"
    case .preview: "show how the first records of a topic or file would be read, and run nothing"
    case .dump: "show a state directory: beside the running process, or of a dead one"
    case .purge: "take late or rejected records, or bots, out of the state; the counters stay"
    case .check: "check every byte of a state that no process runs on"
    case .backup: "copy the newest checkpoint of a state, beside the running process too"
    case .verifySink: "compare what sinks hold with what the state has delivered to them"
    case .ddl: "print the CREATE TABLE statement of the sessions' table"
    case .icebergSetup: "make the Python environment that Iceberg sinks need"
    case .broker: "run the embedded Kafka cluster, for demos and tests"
    case .generate: "make realistic web traffic: to standard output or into a topic"
    case .drill: "strike this program while it works, and compare with an uninterrupted run"
    case .version: "print the versions of the program and of the libraries in use"
    case .help: "explain a command"
    }
  }

  /// How it is called, after the program's name; the flags are listed below it.
  var synopses: [String] {
    switch self {
    case .run:
      [
        "run --brokers HOST:PORT --topic NAME --sink [NAME=]SCHEME:PLACE [--sink …] [flags]",
        "run --file EVENTS.jsonl [--file …] --sink [NAME=]SCHEME:PLACE [--sink …] [flags]",
      ]
    case .preview:
      [
        "preview EVENTS.jsonl [flags]",
        "preview --brokers HOST:PORT --topic NAME [flags]",
      ]
    case .dump: ["dump [\(DumpView.allCases.map(\.rawValue).joined(separator: "|"))] [flags]"]
    case .purge: ["purge \(SideOutput.allCases.map(\.rawValue).joined(separator: "|")) [flags]"]
    case .check: ["check [flags]"]
    case .backup: ["backup --to DIR [flags]"]
    case .verifySink: ["verify-sink --sink [NAME=]SCHEME:PLACE [--sink …] [flags]"]
    case .ddl: ["ddl --dialect \(DDLDialect.allCases.map(\.rawValue).joined(separator: "|"))"]
    case .icebergSetup: ["iceberg-setup [--dir DIR]"]
    case .broker: ["broker [--port N] [--topic NAME:PARTITIONS …]"]
    case .generate:
      [
        "generate --events N [flags] > EVENTS.jsonl",
        "generate --events N --brokers HOST:PORT --topic NAME [flags]",
        "generate --file EVENTS.jsonl --brokers HOST:PORT --topic NAME [flags]",
      ]
    case .drill:
      [
        "drill [--kills N] [--events N] [--fault KIND …] [--sink KIND …] [flags]",
        "drill --brokers HOST:PORT --topic-prefix NAME [flags]",
      ]
    case .version: ["version [--output json]"]
    case .help: ["help [COMMAND]"]
    }
  }
}

/// What `sojourn dump` shows.
package enum DumpView: String, CaseIterable, Sendable {
  case summary, sessions, offsets, watermarks, outbox, late, rejected, bots
}

/// The SQL that `sojourn ddl` writes.
package enum DDLDialect: String, CaseIterable, Sendable {
  case sqlite, postgres, spark, trino
}

/// Whether a command's results are for people or for programs.
package enum OutputFormat: String, CaseIterable, Sendable {
  case text, json
}
