/// A table of an Iceberg catalog, as `CATALOG.NAMESPACE.TABLE`; the namespace may have several levels.
struct IcebergAddress: Equatable, Sendable {
  /// As PyIceberg's configuration names it.
  let catalog: String
  /// Namespace and table, parted by dots.
  let identifier: String

  /// For messages.
  var place: String { "the Iceberg table \(catalog).\(identifier)" }

  /// - Throws: `SinkAddressError` for fewer than three parts, empty ones, or control characters.
  init(parsing text: String) throws(SinkAddressError) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
    guard parts.count >= 3, isPlain, parts.allSatisfy({ !$0.isEmpty }) else {
      throw SinkAddressError(
        "iceberg: the table is written CATALOG.NAMESPACE.TABLE, with a catalog of PyIceberg's "
          + "configuration; a namespace may have several levels, parted by dots")
    }
    catalog = String(parts[0])
    identifier = parts.dropFirst().joined(separator: ".")
  }

  private init(catalog: String, identifier: String) {
    self.catalog = catalog
    self.identifier = identifier
  }

  /// A table beside this one.
  func with(suffix: String) -> IcebergAddress {
    IcebergAddress(catalog: catalog, identifier: identifier + suffix)
  }

  /// - Parameter address: was checked when its sink was made.
  init(_ address: SinkAddress) throws(SinkError) { try self.init(checked: address.rest) }

  init(checked text: String) throws(SinkError) {
    do throws(SinkAddressError) { try self.init(parsing: text) } catch {
      throw .unsuitable(error.description)
    }
  }
}
