package import SessionModel

/// Where rows get their geography from. It belongs to the processing thread.
package protocol GeographySource: AnyObject {
  /// What is known of an address; asked once for each row.
  ///
  /// - Parameter ip: as in the key: canonical where it is an address, else any text.
  /// - Returns: texts that are valid until `refresh` is called.
  func geography(of ip: TextView) -> Geography

  /// Looks whether what lies outside has changed; called before each checkpoint is gathered.
  func refresh()

  /// Messages for people since the last call.
  func takeNotices() -> [String]

  /// What is in use, for the settings that the state keeps; a single line.
  var name: String { get }
}

/// `--geo none`: every row's geography is null.
package final class NoGeography: GeographySource {
  package init() {}
  package func geography(of ip: TextView) -> Geography { Geography() }
  package func refresh() {}
  package func takeNotices() -> [String] { [] }
  package var name: String { "none" }
}
