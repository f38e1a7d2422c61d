/// A setting of a job that may change from run to run, as the state keeps it with each checkpoint.
/// What may not change is in `Fingerprint`.
package struct KeptSetting: Equatable, Sendable {
  /// The longest value kept, in bytes: what is longer is cut.
  private static let valueBytes = 2_048

  /// The flag without its dashes, with a field's name where it takes one; or `cluster`.
  package let name: String
  package let value: String

  package init(_ name: String, _ value: String) {
    self.name = name
    let bytes = value.utf8
    self.value =
      bytes.count <= Self.valueBytes
      ? value : String(decoding: bytes.prefix(Self.valueBytes), as: UTF8.self)
  }

  /// The id of the cluster that holds the topic; no flag sets it.
  package static let cluster = "cluster"
}

extension [KeptSetting] {
  /// A setting's value; nil where it is not kept.
  package func value(of name: String) -> String? { first { $0.name == name }?.value }

  /// What differs from an earlier list, in words; what only one of them has is left out.
  package func changes(since earlier: [KeptSetting]) -> [String] {
    compactMap { setting in
      guard let before = earlier.value(of: setting.name), before != setting.value else {
        return nil
      }
      return "\(setting.name) was \(before), is \(setting.value)"
    }
  }
}
