import Configuration
import Console
import Platform
import SessionModel
import StateStore

/// `sojourn check`: every byte of a state that nobody runs on, and how its parts fit each other.
enum CheckCommand {
  static func run(_ settings: CheckSettings) throws(CommandFailure) {
    let start = Clock.monotonic
    let examination: StateExamination
    do throws(StateError) {
      let warning: String?
      (examination, warning) = try StateReader.examine(directory: settings.stateDirectory)
      if let warning {
        Standard.writeError(Message.warning(warning, colour: Standard.errorHasColour))
      }
    } catch {
      throw CommandFailure(error)
    }
    let elapsed = Clock.monotonic - start
    try StandardOutput.write(state: .untouched) { (writer) throws(OutputError) in
      switch settings.output {
      case .text:
        let verdict = examination.problems.isEmpty ? "sound" : "damaged"
        try writer.write("\(verdict): \(ExaminationText.line(examination, elapsed: elapsed))\n")
      case .json: try writer.write(ExaminationText.json(examination, elapsed: elapsed))
      }
    }
    if examination.problems.isEmpty { return }
    throw CommandFailure(
      .corruptState,
      "the state in '\(settings.stateDirectory)' is damaged: "
        + examination.problems.joined(separator: "; "),
      state: .damaged("damaged, nothing was changed"),
      remedy: "restore a copy of the directory, or move it away: a new state derives the same rows "
        + "again from the log and skips those that the sinks hold")
  }
}

/// What checking a state has found, for people and for programs.
enum ExaminationText {
  static func line(_ examination: StateExamination, elapsed: Microseconds) -> String {
    let state = examination.state
    return """
      checkpoint \(state.checkpoint), \(examination.sessions) sessions of \(examination.keys) keys, \
      \(state.outboxRows) rows in the outbox, \(state.kept.late.rows) late, \
      \(state.kept.rejected.rows) rejected, \(state.kept.bots.rows) of bots; \
      \(examination.pages) pages, \
      \(examination.freePages) of them free, \(bytes(examination)) bytes; \
      \(elapsed / Microseconds.perMillisecond) ms
      """
  }

  static func json(_ examination: StateExamination, elapsed: Microseconds) -> [UInt8] {
    let state = examination.state
    var json = JSONWriter()
    json.object {
      $0.member("sound", examination.problems.isEmpty)
      $0.member("checkpoint", state.checkpoint)
      $0.member("sessions", examination.sessions)
      $0.member("keys", examination.keys)
      $0.member("segments", UInt64(examination.segments))
      $0.member("outbox_rows", state.outboxRows)
      $0.member("late_kept", state.kept.late.rows)
      $0.member("rejected_kept", state.kept.rejected.rows)
      $0.member("bots_kept", state.kept.bots.rows)
      $0.member("pages", examination.pages)
      $0.member("free_pages", examination.freePages)
      $0.member("bytes", bytes(examination))
      $0.member("elapsed_ms", elapsed / Microseconds.perMillisecond)
      $0.array("problems") { json in
        for problem in examination.problems { json.element(problem) }
      }
    }
    json.endLine()
    return json.bytes
  }

  private static func bytes(_ examination: StateExamination) -> UInt64 {
    examination.pages * UInt64(examination.pageBytes)
  }
}
