package import SessionModel

/// Where rows get their geography from. It belongs to the processing thread.
package protocol GeographySource: AnyObject {
  /// What is known of an address; asked for each row, until it is known.
  ///
  /// - Parameter ip: as in the key: canonical where it is an address, else any text.
  /// - Returns: texts that are valid until the next call; nil as long as it is not known.
  func geography(of ip: TextView) -> Geography?

  /// A row was made without what `geography` did not know.
  func giveUp(_ ip: TextView)

  /// Looks whether what lies outside has changed; called before each checkpoint is gathered.
  ///
  /// - Parameter now: wall clock, µs since 1970.
  func refresh(now: Microseconds)

  /// Messages for people since the last call.
  func takeNotices() -> [String]

  /// What is in use, for the settings that the state keeps; a single line.
  var name: String { get }
}

extension GeographySource {
  /// Nothing to do for a source that answers at once.
  package func giveUp(_ ip: TextView) {}
}

/// `--geo none`: every row's geography is null.
package final class NoGeography: GeographySource {
  package init() {}
  package func geography(of ip: TextView) -> Geography? { Geography() }
  package func refresh(now: Microseconds) {}
  package func takeNotices() -> [String] { [] }
  package var name: String { "none" }
}
