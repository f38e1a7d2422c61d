/// What a raw user-agent header says of the visitor's software; null where it says nothing.
///
/// The texts live elsewhere, as long as their source says; each is valid UTF-8 of at most
/// `Limits.keptTextBytes`.
package struct UserAgentFamilies {
  package var browser: TextView?
  package var os: TextView?
  /// `Spider` for what uap-core knows as a robot.
  package var device: TextView?

  package init(browser: TextView? = nil, os: TextView? = nil, device: TextView? = nil) {
    self.browser = browser
    self.os = os
    self.device = device
  }
}

extension Event {
  /// Takes the families of the raw user agent where none was mapped on its own.
  package mutating func take(_ families: UserAgentFamilies) {
    browserFamily = browserFamily ?? families.browser
    osFamily = osFamily ?? families.os
    deviceFamily = deviceFamily ?? families.device
  }
}
