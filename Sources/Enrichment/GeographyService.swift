package import SessionModel

/// Geography that is asked for over a network and comes later. Its requests are made on threads of its
/// own; it is called on the processing thread.
package protocol GeographyService: AnyObject {
  /// Asks for an address, unless it is being asked for already, until there is an answer or `giveUp`.
  ///
  /// - Parameters:
  ///   - address: public, in canonical form (`VisitorAddress.isPublic`).
  ///   - isUrgent: a row waits for it; it goes before those for which none does.
  func ask(_ address: String, isUrgent: Bool)

  /// Asks no further for an address: no row waits for it any more.
  func giveUp(_ address: String)

  /// What was answered since the last call.
  func takeAnswers() -> [AddressGeography]

  /// Messages for people since the last call.
  func takeNotices() -> [String]

  /// What is in use, for the settings that the state keeps; a single line.
  var name: String { get }

  /// Ends its requests and its threads.
  func close()
}

package enum VisitorAddress {
  /// Whether it is an address that a service can know; any other is never sent anywhere.
  ///
  /// - Parameter ip: as in the key: canonical where it is an address, else any text.
  package static func isPublic(_ ip: TextView) -> Bool {
    ip.count <= AddressGeography.addressBytes && SocketAddress(ip)?.isPublic ?? false
  }
}
