import Enrichment
import SessionModel

/// Country, state and city as text.
struct Lookup: Equatable, CustomStringConvertible {
  var country: String?
  var state: String?
  var city: String?

  init(_ country: String?, _ state: String?, _ city: String?) {
    self.country = country
    self.state = state
    self.city = city
  }

  static let nothing = Lookup(nil, nil, nil)

  var description: String {
    [country, state, city].map { $0 ?? "–" }.joined(separator: " | ")
  }
}

extension GeographySource {
  func lookup(_ ip: String) -> Lookup {
    Array(ip.utf8).withUnsafeBytes { bytes in
      guard let found = geography(of: bytes) else { return .nothing }
      func text(_ view: TextView?) -> String? { view.map { String(decoding: $0, as: UTF8.self) } }
      return Lookup(text(found.country), text(found.state), text(found.city))
    }
  }
}
