/// A state directory and what it must hold.
final class TaskState {
  let path: String
  let history: HistoryBox
  var oracle: Oracle

  init(path: String, history: History, oracle: Oracle) {
    self.path = path
    self.history = HistoryBox(history)
    self.oracle = oracle
  }

  /// What it was at some moment while a process ran on it.
  struct Copy {
    /// The file.
    var path: String
    var history: History
    var oracle: Oracle
  }
}
