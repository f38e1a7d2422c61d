import SessionModel

/// The rows of an Iceberg table commit by commit, each commit's by position.
///
/// Holds the rows of one commit in the helper's memory, and those of one answer here.
final class IcebergArrivedRows: ArrivedRows {
  private let helper: IcebergHelper
  private let address: IcebergAddress
  private let schema: SessionSchema
  private var rows: IcebergRows?
  private var place = 0
  private var state = State.new
  private enum State { case new, begun, ended }

  init(_ address: IcebergAddress, helper: IcebergHelper, schema: SessionSchema) {
    self.schema = schema
    self.address = address
    self.helper = helper
  }

  /// A compaction puts old rows into new commits.
  var isOrdered: Bool { false }

  func next() throws(SinkError) -> [UInt8]? {
    while place == rows?.count ?? 0 {
      guard try readOn() else { return nil }
    }
    var bytes: [UInt8] = []
    rows?.append(row: place, to: &bytes)
    place += 1
    return bytes
  }

  /// - Returns: false at the end.
  private func readOn() throws(SinkError) -> Bool {
    if state == .ended { return false }
    rows =
      state == .new
      ? try helper.beginScan(address, schema) : try helper.continueScan(address, schema)
    place = 0
    state = rows == nil ? .ended : .begun
    return rows != nil
  }
}
