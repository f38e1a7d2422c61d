import CXXHash
import Glibc
import SessionModel

/// Whether an event is a page view, and of which page.
///
/// An event with a type is one if the type says so. Without a type every event is a request: it is one
/// if it has a URL and that is not a file that pages are made of, by the end of its path. The page is
/// the URL without query and fragment.
struct PageView {
  let isView: Bool
  /// A hash of the page; nil where the event has no URL.
  let page: UInt64?

  init(of event: Event) {
    let page = event.url.map(PageView.page)
    if let type = event.eventType {
      isView = PageView.types.contains { type.elementsEqual($0) }
    } else {
      isView = page.map { !PageView.isFile($0) } ?? false
    }
    self.page = isView ? page.map { XXH3_64bits($0.baseAddress, $0.count) } : nil
  }

  /// What Segment, Snowplow, Google Analytics 4 and PostHog call a page view, and its like in apps.
  private static let types = [
    "page", "page_view", "pageview", "$pageview", "screen", "screen_view",
  ].map { Array($0.utf8) }

  private static func page(of url: TextView) -> TextView {
    guard let start = url.baseAddress else { return url }
    var end = url.count
    if let found = memchr(start, Int32(UInt8(ascii: "?")), end) {
      end = UnsafeRawPointer(found) - start
    }
    if let found = memchr(start, Int32(UInt8(ascii: "#")), end) {
      end = UnsafeRawPointer(found) - start
    }
    return TextView(start: start, count: end)
  }

  /// Endings of files that are no pages, each packed into a number.
  private static let files: [UInt64] = [
    "css", "js", "mjs", "map", "png", "jpg", "jpeg", "gif", "webp", "avif", "svg", "ico", "bmp",
    "woff", "woff2", "ttf", "otf", "eot", "mp3", "mp4", "webm", "ogg", "wav", "mov",
  ].map { $0.utf8.reduce(0) { $0 << 8 | UInt64($1) } }
  private static let longestEnding = 5

  private static func isFile(_ page: TextView) -> Bool {
    var packed: UInt64 = 0
    var place = page.count - 1
    let least = max(0, page.count - 1 - longestEnding)
    while place >= least {
      let byte = page[place]
      if byte == UInt8(ascii: ".") { return files.contains(packed) }
      if byte == UInt8(ascii: "/") { return false }
      let shift = UInt64(page.count - 1 - place) &* 8
      packed |= UInt64(byte | 0x20) << shift
      place -= 1
    }
    return false
  }
}
