import Glibc
import Platform
import SessionModel
import TestSupport
import Testing

private func sojourn(
  _ arguments: [String], environment: [String: String] = [:]
) throws -> Answer {
  let folder = "/tmp/sojourn-command-line-\(randomBytes(8).map(String.init).joined())"
  try Files.makeDirectory(folder, mode: 0o700)
  let (output, messages) = (folder + "/out", folder + "/err")
  defer {
    unlink(output)
    unlink(messages)
    rmdir(folder)
  }
  let child = try ChildProcess(
    BuiltProgram.path, arguments, environment: environment, standardOutput: output,
    standardError: messages)
  let end = child.wait()
  return Answer(
    end: end, output: String(decoding: try Files.read(output), as: UTF8.self),
    messages: String(decoding: try Files.read(messages), as: UTF8.self))
}

@Test func `version as JSON names the libraries in use, on one line`() throws {
  let answer = try sojourn(["version", "--output", "json"])
  #expect(answer.end == .exited(ExitCode.success.rawValue))
  #expect(answer.messages.isEmpty)
  #expect(answer.output.hasPrefix(#"{"name":"sojourn","version":"0.1.0","swift":""#))
  for library in ["librdkafka", "LMDB", "SQLite", "libcrypto", "simdjson", "xxHash"] {
    #expect(answer.output.contains("\"\(library)\":\""))
  }
  #expect(answer.output.hasSuffix("}}\n"))
}

@Test(arguments: [["help"], ["--help"], ["run", "--help"], ["help", "dump"]])
func `help goes to standard output and succeeds`(arguments: [String]) throws {
  let answer = try sojourn(arguments)
  #expect(answer.end == .exited(ExitCode.success.rawValue))
  #expect(answer.output.contains("sojourn"))
  #expect(answer.messages.isEmpty)
}

@Test(
  arguments: [
    ([], [:], "no command is given"), (["rnu"], [:], "did you mean run?"),
    (["run", "--gpa", "5m"], [:], "did you mean --gap?"),
    (["version"], ["SOJOURN_OUTPUT": "xml"], "environment variable SOJOURN_OUTPUT"),
    (["run", "--config", "/nowhere/at/all"], [:], "No such file or directory"),
  ] as [([String], [String: String], String)])
func `a usage error ends with 64 and one message on standard error`(
  arguments: [String], environment: [String: String], part: String
) throws {
  let answer = try sojourn(arguments, environment: environment)
  #expect(answer.end == .exited(ExitCode.usage.rawValue))
  #expect(answer.output.isEmpty)
  #expect(answer.messages.hasPrefix("sojourn: "))
  #expect(answer.messages.contains(part))
  #expect(answer.messages.contains(" State: untouched. Do: "))
  #expect(answer.messages.split(separator: "\n").count == 1)
}

@Test func `an argument's control characters do not reach the terminal`() throws {
  let answer = try sojourn(["\u{1B}[2Jrun\u{9B}0m"])
  #expect(answer.end == .exited(ExitCode.usage.rawValue))
  #expect(answer.messages.contains("␛[2Jrun"))
  #expect(!answer.messages.contains("\u{1B}"))
  #expect(!answer.messages.contains("\u{9B}"))
}

@Test func `a reader that went away ends the program quietly`() throws {
  let script = "( \"$0\" help run; echo $? >&2 ) | true"
  let answer = try shell(script)
  #expect(answer == "0\n")
}

@Test func `a configuration file without an end is refused`() throws {
  let answer = try sojourn(["run", "--config", "/dev/zero"])
  #expect(answer.end == .exited(ExitCode.usage.rawValue))
  #expect(answer.messages.contains("cannot read \"/dev/zero\": read /dev/zero: File too large"))
}

@Test func `a full disk under standard output ends with 74 and the reason`() throws {
  let answer = try shell("\"$0\" version >/dev/full; echo $? >&2")
  #expect(answer.hasSuffix("\n74\n"))
  #expect(answer.contains("No space left on device"))
  #expect(answer.contains("Do: make room on the disk"))
}

/// The standard error of a shell script in which `$0` is the program.
private func shell(_ script: String) throws -> String {
  let path = "/tmp/sojourn-shell-\(randomBytes(8).map(String.init).joined())"
  defer { unlink(path) }
  let child = try ChildProcess("sh", ["-c", script, BuiltProgram.path], standardError: path)
  _ = child.wait()
  return String(decoding: try Files.read(path), as: UTF8.self)
}
