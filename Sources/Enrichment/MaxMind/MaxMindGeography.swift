import Platform
package import SessionModel

/// `--geo mmdb:FILE`: country, state and city from a file in MaxMind's format.
///
/// The file is opened anew once another one stands in its place. One that cannot be used leaves the
/// old one in use, which is said once for each.
package final class MaxMindGeography: GeographySource {
  private let path: String
  private var file: MaxMindFile
  private var cache = EntryCache()
  /// The last version of the file that was looked at, also in vain.
  private var seen: FileVersion?
  private var notices: [String] = []

  /// - Throws: `EnrichmentError`: the file is missing, damaged or has no countries.
  package init(path: String) throws(EnrichmentError) {
    self.path = path
    file = try MaxMindFile.open(path)
    seen = file.version
    notices = ["geography comes from \(path): \(file.name)"]
  }

  package var name: String { "mmdb \(file.name)" }

  package func geography(of ip: TextView) -> Geography? {
    guard let address = SocketAddress(ip), let entry = file.entry(of: address) else {
      return Geography()
    }
    return cache.geography(at: entry) { file.geography(at: entry) ?? Geography() }
  }

  package func refresh(now: Microseconds) {
    do throws(SystemError) {
      let version = try Files.version(of: path)
      if version == seen { return }
      seen = version
      reload()
    } catch {
      // Said once while it lasts: a rename over the file leaves no moment without one.
      if seen == nil { return }
      seen = nil
      notices.append(
        "the MMDB file cannot be seen any more: \(error). The one read before stays in use")
    }
  }

  private func reload() {
    do throws(EnrichmentError) {
      let next = try MaxMindFile.open(path)
      seen = next.version
      file = next
      cache = EntryCache()
      notices.append("geography now comes from a new \(path): \(file.name)")
    } catch {
      notices.append("\(error). The file read before stays in use: \(file.name)")
    }
  }

  package func takeNotices() -> [String] {
    defer { notices.removeAll() }
    return notices
  }
}
