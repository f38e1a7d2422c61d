/// What brought a session's visitor: derived from the first event where the row is made.
///
/// The texts lie in the buffer that they were appended to.
package struct Attribution {
  package private(set) var utmSource: Range<Int>?
  package private(set) var utmMedium: Range<Int>?
  package private(set) var utmCampaign: Range<Int>?
  package private(set) var clickID: Range<Int>?
  package private(set) var clickIDType: Range<Int>?
  package private(set) var channel: Range<Int>

  /// Parameters by which networks recognise their clicks, and what their channel is; the first of
  /// this list counts. Facebook adds its own to links that nobody paid for.
  private static let clickIDs: [(name: [UInt8], channel: Channel)] = [
    (Array("gclid".utf8), .paid), (Array("gbraid".utf8), .paid), (Array("wbraid".utf8), .paid),
    (Array("dclid".utf8), .paid), (Array("msclkid".utf8), .paid), (Array("yclid".utf8), .paid),
    (Array("ttclid".utf8), .paid), (Array("twclid".utf8), .paid), (Array("li_fat_id".utf8), .paid),
    (Array("fbclid".utf8), .social), (Array("igshid".utf8), .social),
    (Array("mc_eid".utf8), .email),
  ]
  private static let channels = Dictionary(
    uniqueKeysWithValues: Channel.allCases.map { ($0, Array($0.rawValue.utf8)) })

  /// - Parameters: of the first event.
  ///   - bytes: gets the texts.
  package init(
    landingURL: TextView?, referrer: TextView?, host: TextView?, appendingTo bytes: inout [UInt8]
  ) {
    channel = 0..<0
    var found: Channel?
    if let query = landingURL.flatMap({ URLText.query(of: $0) }) {
      found = readParameters(of: query, &bytes)
    }
    let decided = found ?? Attribution.channel(landingURL, referrer, host)
    channel = Attribution.append(Attribution.channels[decided]!, to: &bytes)
  }

  private static func append(_ text: [UInt8], to bytes: inout [UInt8]) -> Range<Int> {
    bytes.append(contentsOf: text)
    return (bytes.count - text.count)..<bytes.count
  }

  // MARK: - Campaigns

  /// - Returns: the channel, if the parameters tell of one.
  private mutating func readParameters(of query: TextView, _ bytes: inout [UInt8]) -> Channel? {
    var click: (rank: Int, value: TextView)?
    var (source, medium, campaign): (TextView?, TextView?, TextView?)
    URLText.forEachParameter(of: query) { name, value in
      if value.isEmpty { return }
      if Attribution.isName(name, "utm_source") {
        source = source ?? value
      } else if Attribution.isName(name, "utm_medium") {
        medium = medium ?? value
      } else if Attribution.isName(name, "utm_campaign") {
        campaign = campaign ?? value
      } else if let rank = Attribution.clickIDs.firstIndex(where: { name.elementsEqual($0.name) }),
        rank < click?.rank ?? .max
      {
        click = (rank, value)
      }
    }
    func decoded(_ value: TextView?) -> Range<Int>? {
      guard let value else { return nil }
      let start = bytes.count
      URLText.appendDecoded(value, to: &bytes)
      return start..<bytes.count
    }
    utmSource = decoded(source)
    utmMedium = decoded(medium)
    utmCampaign = decoded(campaign)
    clickID = decoded(click?.value)
    clickIDType = click.map { Attribution.append(Attribution.clickIDs[$0.rank].name, to: &bytes) }
    return channel(click: click.map { Attribution.clickIDs[$0.rank].channel }, bytes)
  }

  private func channel(click: Channel?, _ bytes: [UInt8]) -> Channel? {
    guard utmSource != nil || utmMedium != nil else { return click }
    func lowercased(_ range: Range<Int>?) -> String {
      range.map { String(decoding: bytes[$0], as: UTF8.self).lowercased() } ?? ""
    }
    return Channel(medium: lowercased(utmMedium), source: lowercased(utmSource)) ?? click
      ?? .campaign
  }

  private static func isName(_ name: TextView, _ expected: StaticString) -> Bool {
    guard name.count == expected.utf8CodeUnitCount else { return false }
    return name.enumerated().allSatisfy { index, byte in
      byte == expected.utf8Start[index] || byte | 0x20 == expected.utf8Start[index]
    }
  }

  // MARK: - Referrers

  private static func channel(
    _ landingURL: TextView?, _ referrer: TextView?, _ host: TextView?
  ) -> Channel {
    // A dash is how logs write that there is none.
    guard let referrer, !referrer.isEmpty, !referrer.elementsEqual("-".utf8) else {
      return .direct
    }
    guard let from = URLText.host(of: referrer) else {
      return referrer[0] == UInt8(ascii: "/") ? .internal : .referral
    }
    let other = plain(from)
    let own = host.flatMap { URLText.host(ofAuthority: $0) }
    if let own = (own ?? landingURL.flatMap { URLText.host(of: $0) }).map(plain),
      ReferrerHosts.isWithin(other, own) || ReferrerHosts.isWithin(own, other)
    {
      return .internal
    }
    return Channel(referrer: other)
  }

  /// In lower case, without `www.`.
  private static func plain(_ host: TextView) -> ArraySlice<UInt8> {
    let lower = host.map { byte in
      (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
    return lower.starts(with: "www.".utf8) ? lower[4...] : lower[...]
  }
}
