/// What visitors look at and what they look with.
enum Catalogue {
  struct Agent {
    let family: String
    let version: [String]
    let device: String
    let os: String
    let osVersion: [String]
    let raw: String
  }

  static let agents = [
    Agent(
      family: "Chrome", version: ["124", "0", "0"], device: "Other", os: "Windows",
      osVersion: ["10", "0", ""],
      raw: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        + "Chrome/124.0.0.0 Safari/537.36"),
    Agent(
      family: "Chrome Mobile", version: ["124", "0", "6367"], device: "Pixel 7", os: "Android",
      osVersion: ["14", "", ""],
      raw: "Mozilla/5.0 (Linux; Android 14; Pixel 7) AppleWebKit/537.36 (KHTML, like Gecko) "
        + "Chrome/124.0.6367.82 Mobile Safari/537.36"),
    Agent(
      family: "Mobile Safari", version: ["17", "4", "1"], device: "iPhone", os: "iOS",
      osVersion: ["17", "4", "1"],
      raw: "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 "
        + "(KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1"),
    Agent(
      family: "Safari", version: ["17", "4", ""], device: "Mac", os: "Mac OS X",
      osVersion: ["10", "15", "7"],
      raw: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like "
        + "Gecko) Version/17.4 Safari/605.1.15"),
    Agent(
      family: "Firefox", version: ["125", "0", ""], device: "Other", os: "Ubuntu",
      osVersion: ["", "", ""],
      raw: "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0"),
    Agent(
      family: "Edge", version: ["124", "0", "2478"], device: "Other", os: "Windows",
      osVersion: ["10", "0", ""],
      raw: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        + "Chrome/124.0.0.0 Safari/537.36 Edg/124.0.2478.67"),
    Agent(
      family: "Samsung Internet", version: ["24", "0", ""], device: "Samsung SM-S918B",
      os: "Android", osVersion: ["13", "", ""],
      raw: "Mozilla/5.0 (Linux; Android 13; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) "
        + "SamsungBrowser/24.0 Chrome/117.0.0.0 Mobile Safari/537.36"),
    Agent(
      family: "Googlebot", version: ["2", "1", ""], device: "Spider", os: "Other",
      osVersion: ["", "", ""],
      raw: "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
  ]

  /// Cumulative weights of `agents`, of 100.
  static let agentWeights: [UInt64] = [32, 52, 72, 82, 89, 95, 98, 100]

  static let hosts = ["www.example.com", "shop.example.com", "blog.example.com"]

  static let pages = [
    "/", "/pricing", "/docs/getting-started", "/docs/reference/windows", "/blog",
    "/blog/exactly-once", "/signup", "/login", "/account", "/account/settings", "/search?q=",
    "/products/", "/cart", "/checkout", "/about", "/careers",
  ]

  static let referrers = [
    "https://www.google.com/", "https://duckduckgo.com/?q=sessions",
    "https://news.ycombinator.com/", "https://www.linkedin.com/feed/",
    "https://www.example.com/?utm_source=newsletter&utm_medium=email&utm_campaign=spring",
  ]

  static let languages = ["en-US,en;q=0.9", "de-DE,de;q=0.8,en;q=0.5", "fr-FR,fr;q=0.9", "pt-BR"]
}
