import Glibc
import SessionModel

/// The state is read through a mapping. All of LMDB's own pages were read with `pread(2)` at the
/// start, where an error is an error; but the pages of values are not, and one that the disk cannot
/// read any more, or a file that another program cuts off, shows as SIGBUS.
enum LostPages {
  /// From now on SIGBUS ends the process with a message and `ExitCode.inputOutput`.
  static func report() {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = end
    sigaction(SIGBUS, &action, nil)
  }
}

/// Makes only calls that are safe in a signal handler.
private func end(_ signal: Int32) {
  let message: StaticString = """
    sojourn: a part of the state's file cannot be read: the disk failed, or the file was cut off \
    while it was in use. The state on the disk is as the last checkpoint left it. Check the disk, \
    look at the state with 'sojourn check', and start again.\n
    """
  write(STDERR_FILENO, message.utf8Start, message.utf8CodeUnitCount)
  _exit(ExitCode.inputOutput.rawValue)
}
