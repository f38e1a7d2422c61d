/// Which sessions are robots': by the families of the first event's user agent.
package enum BotRules {
  /// Clients that people do not browse with, as uap-core calls them, in lower case.
  private static let clients = [
    "curl", "pycurl", "wget", "wget2", "aria2", "python-requests", "python-urllib",
    "python aiohttp", "aiohttp", "go-http-client", "go-resty", "java", "okhttp", "reqwest",
    "axios", "got", "apache-httpclient", "akka-http", "reactornetty", "libwww-perl",
    "fetch libfetch", "urlgrabber", "lftp", "winhttp", "masscan", "scrapy", "phantomjs",
    "headlesschrome",
  ].map { Array($0.utf8) }
  /// Parts of names that robots give themselves.
  private static let words = ["bot", "crawler", "spider", "slurp", "archiver"].map {
    Array($0.utf8)
  }

  /// - Parameters:
  ///   - browser: the browser family.
  ///   - device: the device family; uap-core calls robots `Spider`.
  package static func isBot(browser: TextView?, device: TextView?) -> Bool {
    if let device, device.elementsEqual("Spider".utf8) { return true }
    guard let browser else { return false }
    return clients.contains { $0.count == browser.count && stands($0, in: browser, at: 0) }
      || words.contains { word in
        browser.count >= word.count
          && (0...(browser.count - word.count)).contains { stands(word, in: browser, at: $0) }
      }
  }

  /// Whether a word in lower case stands at a place of a name, in either case. Asked for each row, so
  /// without copies.
  private static func stands(_ word: [UInt8], in name: TextView, at place: Int) -> Bool {
    for index in 0..<word.count {
      let byte = name[place + index]
      let isUpper = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
      if (isUpper ? byte | 0x20 : byte) != word[index] { return false }
    }
    return true
  }
}
