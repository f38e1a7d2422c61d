import CLMDB
import CXXHash

/// The C library that keeps the state.
package enum StateLibrary {
  /// Of the library loaded now, for instance `0.9.24`.
  package static var version: String {
    var major: Int32 = 0
    var minor: Int32 = 0
    var patch: Int32 = 0
    mdb_version(&major, &minor, &patch)
    return "\(major).\(minor).\(patch)"
  }
}

/// The C library behind the state's checksums.
package enum HashLibrary {
  /// Of the library loaded now, for instance `0.8.1`.
  package static var version: String {
    let number = XXH_versionNumber()
    return "\(number / 10_000).\(number / 100 % 100).\(number % 100)"
  }
}
