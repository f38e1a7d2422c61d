package import SessionModel

/// What becomes of raw user-agent headers in a run (`--user-agents`). It belongs to the processing
/// thread.
///
/// Definitions that were named are read at the start. Those at the system's place are read when the
/// first raw header comes, since most topics bring parsed objects; where they cannot be used, this is
/// said once, and the families stay null.
package final class RawUserAgents {
  /// Where Debian's package uap-core puts them.
  package static let systemPath = "/usr/share/uap-core/regexes.yaml"

  private var parser: UserAgentParser?
  private var isLoaded: Bool
  private var notices: [String] = []
  private let path: String
  package let name: String

  /// Reads the definitions that were named.
  ///
  /// - Throws: `EnrichmentError`: they are missing, or cannot be used.
  package init(definitions path: String) throws(EnrichmentError) {
    parser = try UserAgentParser(definitions: path)
    isLoaded = true
    self.path = path
    name = path
  }

  /// - Parameter path: read at the first raw header; nil leaves families of raw headers null.
  package init(whenNeeded path: String?) {
    isLoaded = path == nil
    self.path = path ?? ""
    name = path ?? "none"
  }

  /// The families of a raw header. The texts are valid until the next call.
  package func families(of raw: TextView) -> UserAgentFamilies {
    if !isLoaded { load() }
    return parser?.families(of: raw) ?? UserAgentFamilies()
  }

  private func load() {
    isLoaded = true
    do throws(EnrichmentError) {
      parser = try UserAgentParser(definitions: path)
    } catch {
      notices.append(
        "\(error). Events bring raw user agents: browser, system and device of their sessions stay "
          + "null. Install uap-core, or name a regexes.yaml with --user-agents, and start again")
    }
  }

  package func takeNotices() -> [String] {
    defer { notices.removeAll() }
    return notices
  }
}
