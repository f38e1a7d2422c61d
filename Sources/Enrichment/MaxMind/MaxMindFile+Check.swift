import CMaxMindDB
import SessionModel

extension MaxMindFile {
  /// Follows every record of the search tree, and reads each entry once.
  ///
  /// - Complexity: the number of nodes.
  func check(_ path: String) throws(EnrichmentError) {
    var seen = [UInt8](repeating: 0, count: Int(database.pointee.data_section_size) / 8 + 1)
    var hasCountry = false
    /// Whether a record leads to something sound.
    func isSound(_ type: UInt8, _ entry: UInt32) -> Bool {
      switch Int32(type) {
      case MMDB_RECORD_TYPE_SEARCH_NODE, MMDB_RECORD_TYPE_EMPTY: return true
      case MMDB_RECORD_TYPE_DATA: break
      default: return false
      }
      guard entry < database.pointee.data_section_size else { return false }
      if seen[Int(entry) / 8] & 1 << (entry % 8) != 0 { return true }
      seen[Int(entry) / 8] |= 1 << (entry % 8)
      guard let geography = geography(at: entry) else { return false }
      if geography.country != nil { hasCountry = true }
      return true
    }
    var node = MMDB_search_node_s()
    for number in 0..<database.pointee.metadata.node_count {
      let result = MMDB_read_node(database, number, &node)
      guard result == MMDB_SUCCESS else { throw MaxMindFile.damage(of: path, result) }
      guard isSound(node.left_record_type, node.left_record_entry.offset),
        isSound(node.right_record_type, node.right_record_entry.offset)
      else { throw MaxMindFile.damage(of: path, MMDB_CORRUPT_SEARCH_TREE_ERROR) }
    }
    if !hasCountry {
      throw EnrichmentError(
        "the MMDB file \(path) (\(name)) has no country in it: name one of countries or cities")
    }
  }
}
