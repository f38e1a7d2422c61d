import CLinux
import Glibc

/// Random bytes from the kernel (`getrandom(2)`), good for seeds and UUIDs.
package func randomBytes(_ count: Int) -> [UInt8] {
  precondition(count <= 256, "getrandom gives up to 256 bytes in one piece")
  var bytes = [UInt8](repeating: 0, count: count)
  while clinux_random(&bytes, count) != count {
    precondition(errno == EINTR, "getrandom failed")
  }
  return bytes
}
