import Glibc

extension Sinks {
  /// Finds two sinks that lead to one table: they would take it from each other.
  ///
  /// A file is known by its inode, so that links and different ways to write a path do not hide it;
  /// one that is not there yet by its directory's inode and its name. SQL sinks share one table name.
  ///
  /// - Returns: the names of the first two; nil where every sink has a place of its own.
  package static func sharing(_ addresses: [SinkAddress]) -> (String, String)? {
    var names: [String: String] = [:]
    for address in addresses {
      let place = "\(address.scheme):" + identity(of: address)
      if let other = names[place] { return (other, address.name) }
      names[place] = address.name
    }
    return nil
  }

  private static func identity(of address: SinkAddress) -> String {
    switch address.scheme {
    case .sqlite, .jsonl: identity(ofFile: address.rest)
    // One server has many addresses; two that are written alike are the same for certain.
    case .postgres, .iceberg: address.rest
    case .kafka: kafkaTopic(of: address)
    }
  }

  /// Settings do not make another topic of it.
  private static func kafkaTopic(of address: SinkAddress) -> String {
    guard let place = try? KafkaAddress(address) else { return address.rest }
    return place.place
  }

  private static func identity(ofFile path: String) -> String {
    if let inode = inode(of: path) { return inode }
    var trimmed = Substring(path)
    while trimmed.hasSuffix("/") { trimmed.removeLast() }
    let slash = trimmed.lastIndex(of: "/")
    let directory = slash.map { String(trimmed[...$0]) } ?? "."
    let name = slash.map { trimmed[trimmed.index(after: $0)...] } ?? trimmed
    return inode(of: directory).map { "\($0)/\(name)" } ?? path
  }

  private static func inode(of path: String) -> String? {
    var status = stat()
    return stat(path, &status) == 0 ? "\(status.st_dev).\(status.st_ino)" : nil
  }
}
