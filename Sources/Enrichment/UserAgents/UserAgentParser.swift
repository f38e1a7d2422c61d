import Platform
package import SessionModel

/// Families of browser, operating system and device from raw user-agent headers, by the definitions
/// of uap-core.
///
/// A pure function of the header and the definitions. What was parsed last is remembered: two
/// generations of up to `generation` headers each; one that is full becomes the older one, and the
/// older one is forgotten.
package final class UserAgentParser {
  /// Headers.
  private static let generation = 8_192

  private let browsers: FamilyRules
  private let systems: FamilyRules
  private let devices: FamilyRules
  /// Seeded, so that nobody can choose headers that collide.
  private let hasher: KeyHasher
  private var young: [KeyHash: ParsedUserAgent] = [:]
  private var old: [KeyHash: ParsedUserAgent] = [:]

  /// - Parameter path: of a `regexes.yaml`.
  /// - Throws: `EnrichmentError`: it is missing, or cannot be used.
  package init(definitions path: String) throws(EnrichmentError) {
    let definitions = try UserAgentDefinitions(path: path)
    browsers = try FamilyRules(definitions.browsers, path: path)
    systems = try FamilyRules(definitions.systems, path: path)
    devices = try FamilyRules(definitions.devices, path: path)
    let seed = randomBytes(16).withUnsafeBytes { $0.loadUnaligned(as: (UInt64, UInt64).self) }
    hasher = KeyHasher(seed: seed)
  }

  /// - Parameter raw: UTF-8, at most `Limits.keptTextBytes`.
  /// - Returns: texts that are valid until the next call.
  package func families(of raw: TextView) -> UserAgentFamilies {
    let hash = hasher.hash(raw)
    if let known = young[hash] { return known.families }
    let parsed =
      old[hash]
      ?? ParsedUserAgent(browsers.family(of: raw), systems.family(of: raw), devices.family(of: raw))
    if young.count == Self.generation {
      old = young
      young = [:]
    }
    young[hash] = parsed
    return parsed.families
  }
}

/// Three families and the memory that their texts stand in.
private final class ParsedUserAgent {
  let families: UserAgentFamilies
  private let memory: UnsafeMutableRawBufferPointer

  init(_ browser: [UInt8]?, _ os: [UInt8]?, _ device: [UInt8]?) {
    let texts = [browser, os, device]
    memory = .allocate(byteCount: texts.reduce(0) { $0 + ($1?.count ?? 0) }, alignment: 1)
    var place = 0
    var views: [TextView?] = []
    for text in texts {
      guard let text else {
        views.append(nil)
        continue
      }
      let part = UnsafeMutableRawBufferPointer(rebasing: memory[place..<(place + text.count)])
      part.copyBytes(from: text)
      views.append(TextView(part).cut(at: Limits.keptTextBytes))
      place += text.count
    }
    families = UserAgentFamilies(browser: views[0], os: views[1], device: views[2])
  }

  deinit { memory.deallocate() }
}
