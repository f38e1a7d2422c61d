import CYAML
import Glibc
import Platform
import SessionModel

/// The three lists of a `regexes.yaml` of uap-core, as they stand there.
struct UserAgentDefinitions {
  /// A longer file is refused; bytes.
  static let sizeLimit = 16 << 20

  /// One pattern, and what it gives instead of its first group.
  struct Rule: Equatable {
    var pattern = ""
    var ignoresCase = false
    var replacement: String?
  }
  var browsers: [Rule]
  var systems: [Rule]
  var devices: [Rule]

  /// - Throws: `EnrichmentError`, saying what is wrong with the file.
  init(path: String) throws(EnrichmentError) {
    let bytes: [UInt8]
    do throws(SystemError) { bytes = try Files.read(path, limit: Self.sizeLimit) } catch {
      throw EnrichmentError("the user-agent definitions cannot be read: \(error)")
    }
    guard let document = YAMLDocument(bytes) else {
      throw EnrichmentError("the user-agent definitions \(path) are not YAML")
    }
    func rules(_ list: String, _ replacement: String) throws(EnrichmentError) -> [Rule] {
      var rules: [Rule] = []
      for item in document.items(of: list) {
        let entry = document.texts(of: item)
        guard let pattern = entry["regex"] else { break }
        rules.append(
          Rule(
            pattern: pattern, ignoresCase: entry["regex_flag"] == "i",
            replacement: entry[replacement]))
      }
      guard !rules.isEmpty, rules.count == document.items(of: list).count else {
        throw EnrichmentError(
          "the user-agent definitions \(path) have no list '\(list)' of entries with a 'regex'")
      }
      return rules
    }
    browsers = try rules("user_agent_parsers", "family_replacement")
    systems = try rules("os_parsers", "os_replacement")
    devices = try rules("device_parsers", "device_replacement")
  }
}

/// A YAML document of maps, lists and scalars, read by libyaml.
private struct YAMLDocument: ~Copyable {
  private let document: UnsafeMutablePointer<yaml_document_t>

  init?(_ bytes: [UInt8]) {
    let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    defer { parser.deallocate() }
    guard yaml_parser_initialize(parser) == 1 else { return nil }
    defer { yaml_parser_delete(parser) }
    let document = UnsafeMutablePointer<yaml_document_t>.allocate(capacity: 1)
    let isLoaded = bytes.withUnsafeBufferPointer { input in
      yaml_parser_set_input_string(parser, input.baseAddress, input.count)
      return yaml_parser_load(parser, document) == 1
    }
    guard isLoaded else {
      document.deallocate()
      return nil
    }
    self.document = document
  }

  deinit {
    yaml_document_delete(document)
    document.deallocate()
  }

  /// The numbers of the nodes in the list under a key of the outermost map; empty for none.
  func items(of key: String) -> [Int32] {
    guard let root = yaml_document_get_root_node(document) else { return [] }
    for (name, value) in pairs(of: root) where text(name) == key {
      guard let list = yaml_document_get_node(document, value),
        list.pointee.type == YAML_SEQUENCE_NODE
      else { return [] }
      let items = list.pointee.data.sequence.items
      return Array(UnsafeBufferPointer(start: items.start, count: items.top - items.start))
    }
    return []
  }

  /// The keys and values of a map that are scalars.
  func texts(of node: Int32) -> [String: String] {
    guard let map = yaml_document_get_node(document, node) else { return [:] }
    var texts: [String: String] = [:]
    for (name, value) in pairs(of: map) {
      if let name = text(name), let value = text(value) { texts[name] = value }
    }
    return texts
  }

  private func pairs(of map: UnsafeMutablePointer<yaml_node_t>) -> [(Int32, Int32)] {
    guard map.pointee.type == YAML_MAPPING_NODE else { return [] }
    let pairs = map.pointee.data.mapping.pairs
    return UnsafeBufferPointer(start: pairs.start, count: pairs.top - pairs.start)
      .map { ($0.key, $0.value) }
  }

  private func text(_ node: Int32) -> String? {
    guard let node = yaml_document_get_node(document, node),
      node.pointee.type == YAML_SCALAR_NODE
    else { return nil }
    let scalar = node.pointee.data.scalar
    return String(
      decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
  }
}
