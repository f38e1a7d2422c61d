/// A table that is not under its name: renamed in its catalog, and back.
final class IcebergTableAway: SinkOutage {
  private let address: IcebergAddress
  private let aside: IcebergAddress
  private let helper: IcebergHelper
  private var isAway = true

  init(_ address: IcebergAddress, helper: IcebergHelper) throws(SinkError) {
    self.address = address
    self.helper = helper
    aside = address.with(suffix: "_away")
    try helper.rename(address, to: aside)
  }

  func end() {
    guard isAway else { return }
    isAway = false
    // What fails shows in the drill: the table stays away.
    try? helper.rename(aside, to: address)
  }
}
