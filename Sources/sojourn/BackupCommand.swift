import Configuration
import Console
import Platform
import SessionModel
import StateStore

/// `sojourn backup`: the newest checkpoint in a directory of its own, beside a running process.
enum BackupCommand {
  static func run(_ settings: BackupSettings) throws(CommandFailure) {
    let start = Clock.monotonic
    let examination: StateExamination
    do throws(StateError) {
      examination = try StateReader.backup(settings.stateDirectory, to: settings.target)
    } catch {
      throw CommandFailure(error)
    }
    let elapsed = Clock.monotonic - start
    try StandardOutput.write(state: .safe) { (writer) throws(OutputError) in
      switch settings.output {
      case .text:
        let line = ExaminationText.line(examination, elapsed: elapsed)
        try writer.write("copied to \(TerminalText.sanitised(settings.target)): \(line)\n")
      case .json: try writer.write(ExaminationText.json(examination, elapsed: elapsed))
      }
    }
  }
}
