import Glibc

/// The keys under which MMDB files hold country, state and city, as libmaxminddb takes them.
///
/// MaxMind's City files set the form; those of DB-IP and IP2Location follow it.
struct LocationPaths: ~Copyable {
  /// C strings, and a null pointer behind the last.
  typealias Path = UnsafeMutablePointer<UnsafePointer<CChar>?>

  let country = path(["country", "iso_code"])
  let state = path(["subdivisions", "0", "names", "en"])
  let city = path(["city", "names", "en"])

  deinit {
    for path in [country, state, city] {
      var place = path
      while let key = place.pointee {
        free(UnsafeMutablePointer(mutating: key))
        place += 1
      }
      path.deallocate()
    }
  }

  private static func path(_ keys: [String]) -> Path {
    let path = Path.allocate(capacity: keys.count + 1)
    for (index, key) in keys.enumerated() {
      guard let copy = strdup(key) else { fatalError("out of memory; the state is safe") }
      (path + index).initialize(to: UnsafePointer(copy))
    }
    (path + keys.count).initialize(to: nil)
    return path
  }
}
