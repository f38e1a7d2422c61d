/// How the process ends, after BSD's sysexits.h; documented in docs/configuration.md.
package enum ExitCode: Int32, Sendable {
  case success = 0
  /// A drill or a comparison found a difference, or a life of a drill went wrong.
  case difference = 1
  /// The command line or the configuration file is wrong.
  case usage = 64
  /// The state is damaged.
  case corruptState = 65
  /// Unread input was deleted, or the topic was made anew.
  case inputLost = 66
  /// Broker or sink unavailable.
  case unavailable = 69
  /// A fault of the program itself.
  case software = 70
  /// The state directory is in use by another process, or cannot be created.
  case stateLocked = 73
  /// An I/O error or a full disk.
  case inputOutput = 74
  /// Another process took over the table.
  case takenOver = 75
  /// The broker refused the credentials, or the rights are missing.
  case authentication = 77
  /// A configuration that cannot work; also a foreign state or table.
  case configuration = 78
}
