/// How a visitor came: derived from the landing URL's campaign parameters, the referrer and the own
/// host, by the table in docs/schema.md.
package enum Channel: String, CaseIterable, Sendable {
  case paid, email, social, organic, affiliate, referral, campaign, direct, `internal`

  /// By `utm_medium`, then `utm_source`; nil where neither says anything known.
  ///
  /// - Parameters: in lower case.
  init?(medium: String, source: String) {
    switch medium {
    case "cpc", "ppc", "cpm", "cpv", "cpa", "display", "banner", "retargeting": self = .paid
    case _ where medium.hasPrefix("paid"): self = .paid
    case "email", "e-mail", "newsletter", "mail": self = .email
    case "social", "social-network", "social-media", "social_network", "social_media", "sm",
      "organic-social", "organic_social":
      self = .social
    case "organic": self = .organic
    case "affiliate", "affiliates": self = .affiliate
    case "referral", "link": self = .referral
    default:
      switch source {
      case "newsletter", "email": self = .email
      case "facebook", "instagram", "twitter", "x", "linkedin", "reddit", "youtube", "pinterest",
        "tiktok":
        self = .social
      default: return nil
      }
    }
  }

  /// By the host of a referrer that is not the own one, in lower case and without `www.`.
  init(referrer host: ArraySlice<UInt8>) {
    if ReferrerHosts.isWebmail(host) {
      self = .email
    } else if ReferrerHosts.isSearch(host) {
      self = .organic
    } else if ReferrerHosts.isSocial(host) {
      self = .social
    } else {
      self = .referral
    }
  }
}

/// Hosts that tell how a visitor came.
enum ReferrerHosts {
  private static let webmail = lines(
    """
    mail.google.com outlook.live.com outlook.office.com outlook.office365.com mail.aol.com
    mail.proton.me e.mail.ru mail.yandex.ru com.google.android.gm
    """)
  private static let social = lines(
    """
    facebook.com instagram.com twitter.com t.co x.com linkedin.com lnkd.in reddit.com youtube.com
    youtu.be pinterest.com tiktok.com vk.com weibo.com news.ycombinator.com threads.net bsky.app
    mastodon.social quora.com tumblr.com whatsapp.com t.me telegram.org discord.com snapchat.com
    stumbleupon.com plus.google.com
    """)
  /// The label before the country's or the generic domain.
  private static let search = lines(
    """
    google bing duckduckgo yahoo yandex baidu ecosia qwant startpage ask aol naver seznam sogou kagi
    """)
  /// Labels that may stand before a search engine's.
  private static let searchPrefixes = lines("m search images news maps cn r us uk de fr es it")

  private static func lines(_ text: String) -> [[UInt8]] {
    text.split(whereSeparator: \.isWhitespace).map { Array($0.utf8) }
  }

  static func isWebmail(_ host: ArraySlice<UInt8>) -> Bool {
    webmail.contains { host.elementsEqual($0) } || host.starts(with: "mail.yahoo.".utf8)
      || host.starts(with: "webmail.".utf8)
  }

  static func isSocial(_ host: ArraySlice<UInt8>) -> Bool {
    social.contains { isWithin(host, $0[...]) }
  }

  /// `[prefix.]*engine.tld` or `[prefix.]*engine.co.tld`, `com.tld`, …; `search.brave.com` besides.
  static func isSearch(_ host: ArraySlice<UInt8>) -> Bool {
    if host.elementsEqual("search.brave.com".utf8) { return true }
    let labels = host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    for (index, label) in labels.enumerated() {
      if search.contains(where: { label.elementsEqual($0) }) {
        let behind = labels[(index + 1)...]
        return behind.count == 1 || behind.count == 2 && behind.first!.count <= 3
      }
      guard searchPrefixes.contains(where: { label.elementsEqual($0) }) else { return false }
    }
    return false
  }

  /// Whether one host is the other, or lies below it.
  static func isWithin(_ host: ArraySlice<UInt8>, _ domain: ArraySlice<UInt8>) -> Bool {
    guard host.count >= domain.count, host.suffix(domain.count).elementsEqual(domain) else {
      return false
    }
    return host.count == domain.count
      || host[host.endIndex - domain.count - 1] == UInt8(ascii: ".")
  }
}
