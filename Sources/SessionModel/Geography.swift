/// Where an address lies, as far as a source knows; null where it does not.
///
/// The texts live elsewhere, as long as their source says; each is valid UTF-8 of at most
/// `Limits.keptTextBytes`.
package struct Geography {
  /// ISO 3166-1 alpha-2.
  package var country: TextView?
  /// The name of the first subdivision, in English.
  package var state: TextView?
  /// The name in English.
  package var city: TextView?

  package init(
    country: TextView? = nil, state: TextView? = nil, city: TextView? = nil
  ) {
    self.country = country
    self.state = state
    self.city = city
  }
}
