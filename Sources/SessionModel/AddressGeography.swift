/// What a service said of an address, as the state keeps it for sessions to come.
package struct AddressGeography: Equatable, Sendable {
  /// In canonical form, as keys hold it.
  package var address: String
  /// Wall clock, µs since 1970.
  package var answeredAt: Microseconds
  /// As in `Geography`, each of at most `Limits.keptTextBytes`; all nil where the service knows nothing.
  package var country: String?
  package var state: String?
  package var city: String?

  /// The greatest length of an address, bytes: eight groups of IPv6.
  package static let addressBytes = 39

  package init(
    address: String, answeredAt: Microseconds, country: String? = nil, state: String? = nil,
    city: String? = nil
  ) {
    self.address = address
    self.answeredAt = answeredAt
    self.country = country
    self.state = state
    self.city = city
  }
}
