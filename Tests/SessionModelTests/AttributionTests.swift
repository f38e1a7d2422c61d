import SessionModel
import TestSupport
import Testing

@Suite struct AttributionTests {
  /// `channel`, then what was found of `source|medium|campaign|type=id`.
  private func attribute(_ landing: String?, _ referrer: String?, _ host: String?) -> String {
    func views(_ text: String?, _ body: (TextView?) -> Void) {
      guard let text else { return body(nil) }
      withText(text) { body($0) }
    }
    var found = ""
    views(landing) { landing in
      views(referrer) { referrer in
        views(host) { host in
          var bytes: [UInt8] = []
          let it = Attribution(
            landingURL: landing, referrer: referrer, host: host, appendingTo: &bytes)
          func text(_ range: Range<Int>?) -> String {
            range.map { String(decoding: bytes[$0], as: UTF8.self) } ?? ""
          }
          found = text(it.channel)
          let parts = [text(it.utmSource), text(it.utmMedium), text(it.utmCampaign)]
          let click = it.clickID.map { "\(text(it.clickIDType))=\(text($0))" } ?? ""
          let rest = (parts + [click]).joined(separator: "|")
          if rest != "|||" { found += " " + rest }
        }
      }
    }
    return found
  }

  @Test(
    arguments: [
      ("/", nil, "direct"), ("/", "", "direct"), ("/", "-", "direct"), (nil, nil, "direct"),
      ("/", "https://www.google.com/", "organic"),
      ("/", "http://www.google.co.uk/search?q=x", "organic"),
      ("/", "https://search.yahoo.com/a", "organic"), ("/", "https://duckduckgo.com", "organic"),
      ("/", "https://docs.google.com/x", "referral"),
      ("/", "https://google.example.com/", "referral"),
      ("/", "https://mail.google.com/mail/u/0", "email"),
      ("/", "https://l.facebook.com/l.php", "social"),
      ("/", "https://T.CO/x", "social"), ("/", "https://notfacebook.com/", "referral"),
      ("/", "https://blog.other.org:8080/p#x", "referral"),
      ("/", "android-app://com.slack", "referral"),
      ("/", "https://shop.example/basket", "internal"),
      ("/", "http://user@WWW.shop.example.:80/", "internal"),
      ("/", "https://help.shop.example", "internal"), ("/", "/basket", "internal"),
      ("/", "about:blank", "referral"), ("/", "https://myshop.example/", "referral"),
    ] as [(String?, String?, String)])
  func `without a campaign the referrer's host decides`(
    landing: String?, referrer: String?, channel: String
  ) {
    #expect(attribute(landing, referrer, "www.shop.example:443") == channel)
  }

  @Test func `without a host the landing URL's is the own one`() {
    #expect(attribute("https://shop.example/a", "https://www.shop.example/", nil) == "internal")
    #expect(attribute("/a", "https://shop.example/", nil) == "referral")
  }

  @Test(arguments: [
    ("/?utm_source=google&utm_medium=cpc", "paid google|cpc||"),
    ("/?utm_medium=Paid-Social&utm_source=x", "paid x|Paid-Social||"),
    (
      "/?UTM_Source=News+letter&utm_medium=email&utm_campaign=a%26b", "email News letter|email|a&b|"
    ),
    ("/?utm_source=facebook", "social facebook|||"),
    ("/?utm_source=partner", "campaign partner|||"),
    ("/?utm_campaign=spring", "direct ||spring|"), ("/?utm_medium=organic", "organic |organic||"),
    ("/?utm_source=a&utm_source=b", "campaign a|||"), ("/?utm_source=&utm_medium=", "direct"),
    ("/?gclid=E%41", "paid |||gclid=EA"), ("/?fbclid=1&gclid=2", "paid |||gclid=2"),
    ("/?fbclid=1", "social |||fbclid=1"),
    ("/?utm_source=partner&msclkid=7", "paid partner|||msclkid=7"),
    ("/?utm_medium=email&gclid=2", "email |email||gclid=2"), ("/?mc_eid=1", "email |||mc_eid=1"),
    ("/?utm_source=%FF%", "campaign %FF%|||"), ("/#?utm_source=x", "direct"),
    ("/?a=1&amp;utm_source=x", "direct"), ("/?utm_sourc\u{e9}=x&utm_sourceX=y", "direct"),
    ("/?utm_source=Zo%C3%AB#gclid=1", "campaign Zoë|||"),
  ])
  func `a campaign in the landing URL goes before the referrer`(landing: String, expected: String) {
    #expect(attribute(landing, nil, "shop.example") == expected)
    let other = attribute(landing, "https://t.co/", "shop.example")
    #expect(other == expected.replacing("direct", with: "social"))
  }

  @Test(
    arguments: [
      ("Googlebot", "Spider", true), ("Firefox", "Spider", true), ("curl", "Other", true),
      ("AhrefsBot", "Other", true), ("Yahoo! Slurp", nil, true), ("HeadlessChrome", "Other", true),
      ("Firefox", "Other", false), ("Chrome Mobile", "Pixel 9", false), (nil, nil, false),
      ("Java", "Other", true), ("Javanese Browser", "Other", false), ("Chrome", "spider", false),
    ] as [(String?, String?, Bool)])
  func `robots are known by the families of their user agent`(
    browser: String?, device: String?, isBot: Bool
  ) {
    withText(browser ?? "") { name in
      withText(device ?? "") { family in
        #expect(
          BotRules.isBot(
            browser: browser == nil ? nil : name, device: device == nil ? nil : family) == isBot)
      }
    }
  }
}
