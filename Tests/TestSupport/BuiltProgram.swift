import Glibc

/// The program that was built together with the running tests.
package enum BuiltProgram {
  /// Its path: beside the tests' own executable.
  package static var path: String { folder + "/sojourn" }

  /// The library that a program is preloaded with to have its system calls fail.
  package static var faultShim: String { folder + "/libFaultShim.so" }

  /// The program that damages states and looks what becomes of them.
  package static var damage: String { folder + "/sojourn-damage" }

  private static var folder: String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    let own = String(
      decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    let folder = own.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    return folder.joined(separator: "/")
  }
}
