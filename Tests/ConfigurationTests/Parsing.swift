import Configuration

/// A line as a shell would split it, without quotes.
func words(_ line: String) -> [String] { line.split(separator: " ").map(String.init) }

/// Reads a command line in a world of its own.
///
/// - Parameter files: what `--config` and `--kafka-properties` may name.
func parse(
  _ arguments: [String], environment: [String: String] = [:], files: [String: String] = [:]
) throws(UsageError) -> Invocation {
  try Invocation(
    arguments: arguments, environment: environment,
    readFile: FileReader { (path) throws(FileReader.Failure) in
      guard let text = files[path] else {
        throw FileReader.Failure("open \(path): No such file or directory")
      }
      return Array(text.utf8)
    })
}

struct WrongCommand: Error {}

/// Settings of `run` with an input and a sink, and `more`.
func run(
  _ more: String = "", environment: [String: String] = [:], files: [String: String] = [:]
) throws -> RunSettings {
  try runExactly(
    words("--brokers b:9092 --topic clicks --sink sqlite:x.db " + more),
    environment: environment, files: files)
}

func runExactly(
  _ arguments: [String], environment: [String: String] = [:], files: [String: String] = [:]
) throws -> RunSettings {
  let invocation = try parse(["run"] + arguments, environment: environment, files: files)
  guard case .run(let settings) = invocation else { throw WrongCommand() }
  return settings
}

/// The error that a command line is refused with; nil if it is taken.
func refusal(
  _ arguments: [String], environment: [String: String] = [:], files: [String: String] = [:]
) -> UsageError? {
  do throws(UsageError) {
    _ = try parse(arguments, environment: environment, files: files)
    return nil
  } catch {
    return error
  }
}
