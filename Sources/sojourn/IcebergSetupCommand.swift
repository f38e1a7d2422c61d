import Configuration
import Console
import Glibc
import Platform
import SessionModel
import Sinks

/// `sojourn iceberg-setup`: a Python environment with all that Iceberg sinks need, from PyPI.
enum IcebergSetupCommand {
  static func run(_ settings: IcebergSetupSettings) throws(CommandFailure) {
    guard let directory = settings.directory ?? IcebergEnvironment.defaultDirectory else {
      throw CommandFailure(
        .usage, "there is no HOME to make the environment in", state: .untouched,
        remedy: "name a directory: --dir DIR")
    }
    Standard.writeError("Making \(directory), some 400 MB from PyPI; this takes a minute or so.\n")
    let place = Place(directory)
    try place.prepare()
    try place.run("python3", ["-m", "venv", directory], .configuration, remedy: venvRemedy)
    let python = IcebergEnvironment.interpreter(in: directory)
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    try place.run(
      python, pip + ["--requirement", place.requirements], .unavailable, remedy: pipRemedy)
    do throws(SinkError) {
      let version = try IcebergHelper(python: python).check()
      Standard.writeError("PyIceberg \(version) is ready: \(python)\n")
    } catch {
      throw CommandFailure(error.exitCode, error.description, state: .untouched, remedy: nil)
    }
    if settings.directory != nil {
      Standard.writeError("Name it to runs: --iceberg-python \(python)\n")
    }
  }

  private static let venvRemedy =
    "install Python 3.10 or newer with its venv module (Debian: python3-venv)"
  private static let pipRemedy =
    "see whether pip reaches a package index (PIP_INDEX_URL names another), then run this again"

  /// The directory of an environment, with what is kept there of its making.
  private struct Place {
    let directory: String
    var requirements: String { directory + "/sojourn-requirements.txt" }
    private var log: String { directory + "/sojourn-setup.log" }

    init(_ directory: String) { self.directory = directory }

    func prepare() throws(CommandFailure) {
      do throws(SystemError) {
        try Files.makeDirectory(directory)
        try Files.replace(requirements, with: IcebergEnvironment.requirements)
        try Files.replace(log, with: [])
      } catch {
        throw CommandFailure(error, state: .untouched)
      }
    }

    /// Runs a program to its end.
    ///
    /// - Throws: the given code with the last line of what the program said.
    func run(
      _ program: String, _ arguments: [String], _ code: ExitCode, remedy: String
    ) throws(CommandFailure) {
      let end: ChildProcess.End
      do throws(SystemError) {
        end = try ChildProcess(program, arguments, standardOutput: log, standardError: log).wait()
      } catch {
        throw CommandFailure(code, error.description, state: .untouched, remedy: remedy)
      }
      if end == .exited(0) { return }
      throw CommandFailure(
        code, "\(program) failed (\(end)): \(lastLine); more in \(log)", state: .untouched,
        remedy: remedy)
    }

    private var lastLine: String {
      let text = (try? Files.read(log)).map { String(decoding: $0, as: UTF8.self) } ?? ""
      return text.split(separator: "\n").last.map(String.init) ?? "it said nothing"
    }
  }
}
