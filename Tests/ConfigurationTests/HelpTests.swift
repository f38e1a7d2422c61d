import Configuration
import SessionModel
import TestSupport
import Testing

@Test(
  arguments: [
    (["help"], nil), (["--help"], nil), (["-h"], nil), (["help", "dump"], .dump),
    (["run", "--help"], .run), (["dump", "late", "-h"], .dump),
  ] as [([String], Command?)])
func `help is asked for in the usual ways`(line: [String], expected: Command?) throws {
  guard case .help(let command) = try parse(line) else { throw WrongCommand() }
  #expect(command == expected)
}

@Test func `--version is the version command`() throws {
  guard case .version(let settings) = try parse(["--version"]) else { throw WrongCommand() }
  #expect(settings.output == .text)
}

@Test func `the overview names every command`() {
  for command in Command.allCases {
    #expect(HelpText.overview().contains("\n  \(command.rawValue) "))
  }
}

@Test(arguments: Command.allCases)
func `a command's help names each of its flags with its default, in 100 columns`(
  command: Command
) {
  let text = HelpText.text(command)
  let joined = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  for flag in FlagTable.all where flag.commands.contains(command) {
    #expect(text.contains("\n  \(flag.written)"))
    if flag.kind != .boolean, let value = flag.shownDefault {
      #expect(joined.contains("\(flag.help) [default: \(value)]"))
    }
  }
  #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 })
}

@Test func `a command has no two flags of one name`() {
  for command in Command.allCases {
    let names = FlagTable.all.filter { $0.commands.contains(command) }.map(\.name)
    #expect(Set(names).count == names.count)
  }
}

@Test(arguments: FlagTable.all.indices)
func `the documentation has a row for each flag, with variable and default`(index: Int) throws {
  let flag = FlagTable.all[index]
  let rows = try repositoryFile("docs/configuration.md").split(separator: "\n").filter {
    $0.hasPrefix("| `\(flag.written) ") || $0.hasPrefix("| `\(flag.written)`")
  }
  let shown = flag.derivedDefault ?? flag.defaultValue.map { "`\($0)`" } ?? "–"
  let row = rows.first { $0.contains("| \(shown) |") }
  #expect(row != nil, "no row for \(flag.written) with the default \(shown)")
  #expect(row?.contains("`\(flag.environmentVariable)`") == true)
  if let unit = flag.unit { #expect(row?.contains(unit) == true) }
}

@Test(arguments: [
  ExitCode.success, .difference, .usage, .corruptState, .inputLost, .unavailable, .software,
  .stateLocked,
  .inputOutput, .takenOver, .authentication, .configuration,
])
func `the documentation has a row for each exit code`(code: ExitCode) throws {
  #expect(try repositoryFile("docs/configuration.md").contains("\n| \(code.rawValue) | "))
}
