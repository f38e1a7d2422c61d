import CMaxMindDB
import Glibc
import Platform
import SessionModel

/// An MMDB file, open: a copy of its own in memory, so that nothing done to the file can reach it.
///
/// libmaxminddb maps the file that it is given, and a file that is cut short under the map ends the
/// process with SIGBUS. It is therefore given a file in memory that only this process has.
///
/// Invariant: every record of the search tree was followed when the file was opened, so that no
/// address leads to what is damaged.
struct MaxMindFile: ~Copyable {
  /// A longer file is refused, since it is held in memory; bytes.
  static let sizeLimit: Int64 = 2 << 30

  let database: UnsafeMutablePointer<MMDB_s>
  private let paths = LocationPaths()
  /// The file as it was when it was copied.
  let version: FileVersion

  /// - Throws: `EnrichmentError`, saying what is wrong with the file.
  static func open(_ path: String) throws(EnrichmentError) -> MaxMindFile {
    let copy: MemoryCopy
    do throws(SystemError) { copy = try MemoryCopy(of: path, limit: sizeLimit) } catch {
      throw EnrichmentError("the MMDB file cannot be read: \(error)")
    }
    let database = UnsafeMutablePointer<MMDB_s>.allocate(capacity: 1)
    // The map outlives the descriptor.
    let result = MMDB_open(copy.name, UInt32(MMDB_MODE_MMAP), database)
    guard result == MMDB_SUCCESS else {
      database.deallocate()
      throw damage(of: path, result)
    }
    let file = MaxMindFile(database, copy.version)
    try file.check(path)
    return file
  }

  private init(_ database: UnsafeMutablePointer<MMDB_s>, _ version: FileVersion) {
    self.database = database
    self.version = version
  }

  deinit {
    MMDB_close(database)
    database.deallocate()
  }

  /// What the file says of itself, on one line.
  var name: String {
    let metadata = database.pointee.metadata
    let type = metadata.database_type.map { String(cString: $0) } ?? "MMDB"
    let built = Microseconds(clamping: metadata.build_epoch)
    guard built <= .latest / .perSecond else { return type }
    return "\(type), built \(TimeText.timestamp(built * .perSecond))"
  }

  // MARK: - Looking up

  /// Where the data of an address stands; nil for what the file does not know.
  func entry(of address: SocketAddress) -> UInt32? {
    // Other than "an IPv6 address in a file of IPv4 ones", no error is left after the check.
    var error: Int32 = MMDB_SUCCESS
    let found = address.withPointer { MMDB_lookup_sockaddr(database, $0, &error) }
    return error == MMDB_SUCCESS && found.found_entry ? found.entry.offset : nil
  }

  /// Reads the data that an entry leads to. The texts live as long as the file is open.
  ///
  /// - Returns: nil where it is damaged.
  func geography(at entry: UInt32) -> Geography? {
    guard let country = text(paths.country, at: entry), let state = text(paths.state, at: entry),
      let city = text(paths.city, at: entry)
    else { return nil }
    return Geography(country: country, state: state, city: city)
  }

  /// - Returns: nil for damage; inside, nil where the file has nothing to say.
  private func text(_ path: LocationPaths.Path, at entry: UInt32) -> TextView?? {
    var start = MMDB_entry_s(mmdb: database, offset: entry)
    var data = MMDB_entry_data_s()
    switch MMDB_aget_value(&start, &data, path) {
    case MMDB_SUCCESS: break
    case MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR: return .some(nil)
    default: return nil
    }
    guard data.has_data, data.type == UInt32(MMDB_DATA_TYPE_UTF8_STRING) else { return .some(nil) }
    let bytes = TextView(start: data.utf8_string, count: Int(data.data_size))
    guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
    // IP2Location's files have a dash where nothing is known.
    if bytes.isEmpty || bytes.elementsEqual("-".utf8) { return .some(nil) }
    return bytes.cut(at: Limits.keptTextBytes)
  }

  static func damage(of path: String, _ code: Int32) -> EnrichmentError {
    EnrichmentError(
      "the MMDB file \(path) is damaged, or is none: \(String(cString: MMDB_strerror(code)))")
  }
}
