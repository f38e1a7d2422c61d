import Glibc

/// A failed system call: which, on what, and why.
package struct SystemError: Error, Equatable, CustomStringConvertible {
  package var call: String
  /// The file or address concerned; empty where there is none.
  package var subject: String
  /// The `errno`.
  package var code: Int32

  package init(_ call: String, _ subject: String = "", code: Int32 = errno) {
    self.call = call
    self.subject = subject
    self.code = code
  }

  package var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }

  /// Whether the disk is at fault: full or failing, and not a missing right or name.
  package var isOfDisk: Bool { isDiskFull || code == EIO }

  package var description: String {
    let reason = String(cString: strerror(code))
    return subject.isEmpty ? "\(call): \(reason)" : "\(call) \(subject): \(reason)"
  }
}
