import Glibc
import Platform
import SessionModel

extension StateReader {
  /// Checks every byte of a state that nobody runs on, and the counters that a run keeps: records
  /// read are those in sessions, late and rejected; sessions are as many as are open or closing; no
  /// side output keeps more than was counted.
  ///
  /// - Returns: what was found, and what people should know besides; nil for nothing.
  /// - Throws: `.locked` if a process runs on the state; `.corrupt` where the damage keeps the rest
  ///   from being read; `.missing`, `.foreign`, `.inputOutput`.
  package static func examine(
    directory: String
  ) throws(StateError) -> (examination: StateExamination, warning: String?) {
    try requireState(directory)
    let lock = try StateLock.takeToLook(directory: directory)
    var examination = try openWhole(directory).examine()
    examination.checkCounters()
    let acknowledged: UInt64 =
      switch lock {
      case .some(let lock): lock.acknowledged
      case nil: 0
      }
    let warning = StateStore.warning(
      directory: directory, checkpoint: examination.state.checkpoint,
      acknowledged: acknowledged)
    return (examination, warning)
  }

  /// Copies the newest checkpoint of a state, beside the process that runs on it or without one,
  /// into a state directory of its own.
  ///
  /// The copy is compact: it holds no free pages. It is written aside, synced, and every byte of it
  /// is checked before it gets its name. While the copy is written, one snapshot is held: what a
  /// running process frees meanwhile is not used again until the end, so its file may grow by what
  /// it writes in that time.
  ///
  /// - Parameter target: a directory that is not there yet, or is empty.
  /// - Returns: what the copy holds.
  /// - Throws: `.locked` if the target cannot be made or is not empty; `.corrupt` if the state, or
  ///   what was copied, is damaged; `.missing`, `.foreign`, `.inputOutput`. The target then holds
  ///   no state.
  package static func backup(
    _ directory: String, to target: String
  ) throws(StateError) -> StateExamination {
    try requireState(directory)
    let reader = try openWhole(directory)
    try prepare(target)
    let aside = StateFiles.data(target) + ".new"
    do throws(StateError) {
      try reader.copy(to: aside)
      let examination = try examine(copy: aside, directory: target)
      do throws(SystemError) {
        try Files.rename(aside, to: StateFiles.data(target))
        try Files.synchronizeDirectory(target)
        try Files.synchronizeDirectory(target + "/..")
      } catch {
        throw StateError.system(error, directory: target)
      }
      return examination
    } catch {
      unlink(aside)
      throw error
    }
  }

  private static func openWhole(_ directory: String) throws(StateError) -> StateReader {
    let environment = try StateFiles.openEnvironment(directory, access: .wholeReader)
    return try StateReader(environment: environment)
  }

  private static func prepare(_ target: String) throws(StateError) {
    do throws(SystemError) {
      try Files.makeDirectory(target, mode: EnvironmentLimits.directoryMode)
      if try Files.names(in: target).isEmpty { return }
    } catch {
      let message = """
        the directory '\(target)' for the copy cannot be made (\(error)). Nothing was copied; the \
        state is safe. Name another one.
        """
      throw error.isOfDisk ? .inputOutput(message) : .locked(message)
    }
    throw StateError.locked(
      """
      the directory '\(target)' is not empty. Nothing was copied, and nothing was changed there. \
      Name an empty directory, or one that is not there yet.
      """)
  }

  private static func examine(
    copy file: String, directory: String
  ) throws(StateError) -> StateExamination {
    try MetaPages.check(file, directory: directory, beside: false)
    let environment = try Environment.open(file: file, directory: directory)
    try environment.checkPages(beside: false)
    try environment.openDatabases(creating: false)
    let examination = try StateReader(environment: environment).examine()
    if let problem = examination.problems.first {
      throw StateError.damaged(directory, "the copy is damaged: \(problem)")
    }
    return examination
  }
}

extension StateExamination {
  fileprivate mutating func checkCounters() {
    let counters = state.counters
    let counted = counters.eventsInSessions &+ counters.late &+ counters.rejected
    if counters.recordsRead != counted {
      problems.append(
        "\(counters.recordsRead) records were read, but \(counted) are in sessions, late or "
          + "rejected")
    }
    if sessions != state.openSessions &+ state.closingSessions {
      problems.append(
        "there are \(sessions) sessions, but \(state.openSessions) open and "
          + "\(state.closingSessions) closing ones")
    }
    let kept = state.kept
    for (output, counted) in [
      (SideOutput.late, counters.late), (.rejected, counters.rejected),
      (.bots, counters.botSessions),
    ] where kept[output].rows > counted {
      problems.append("more \(output.contents) are kept than were counted")
    }
    if counters.botEvents > counters.eventsInSessions {
      problems.append("more events are in sessions of bots than in all sessions")
    }
  }
}
