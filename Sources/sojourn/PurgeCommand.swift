import Configuration
import Console
import SessionModel
import StateStore

/// `sojourn purge`: makes room in a side output; the counters stay.
enum PurgeCommand {
  static func run(_ settings: PurgeSettings) throws(CommandFailure) {
    let removed: SideTotals
    do throws(StateError) {
      removed = try StateReader.purge(settings.target, directory: settings.stateDirectory)
    } catch {
      throw CommandFailure(error)
    }
    try StandardOutput.write(state: .safe) { (writer) throws(OutputError) in
      switch settings.output {
      case .text:
        try writer.write("\(removed.rows) \(settings.target.contents) were removed\n")
      case .json:
        var json = JSONWriter()
        json.object {
          $0.member("removed", settings.target.rawValue)
          $0.member("rows", removed.rows)
          $0.member("bytes", removed.bytes)
        }
        json.endLine()
        try writer.write(json.bytes)
      }
    }
  }
}
