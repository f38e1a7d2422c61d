import SessionModel

/// The row `settings` of `state`: the settings of the run that made the newest checkpoint, but for
/// those of the row of `job`. It is missing before a run has named any.
enum SettingsRow {
  static let version: UInt8 = 1
  static let key = "settings"

  private static var seed: UInt64 { Array(key.utf8).withBytes { Checksum.seed(.settings, $0) } }

  static func encode(_ settings: [KeptSetting]) -> [UInt8] {
    var bytes = [version]
    PackedText.append(UInt16(settings.count), to: &bytes)
    for setting in settings {
      PackedText.append(string: setting.name, to: &bytes)
      PackedText.append(string: setting.value, to: &bytes)
    }
    SealedValue.seal(&bytes, seed: seed)
    return bytes
  }

  /// - Parameter value: the whole value.
  static func decode(_ value: UnsafeRawBufferPointer) -> [KeptSetting]? {
    guard let body = SealedValue.open(value, version: version, seed: seed) else { return nil }
    var reader = PackedReader(body)
    guard let count = reader.integer(UInt16.self) else { return nil }
    var settings: [KeptSetting] = []
    for _ in 0..<count {
      guard let name = reader.string(), let value = reader.string() else { return nil }
      let setting = KeptSetting(name, value)
      guard setting.value == value else { return nil }
      settings.append(setting)
    }
    return reader.isAtEnd ? settings : nil
  }

  static func read(_ transaction: borrowing Transaction) throws(StateError) -> [KeptSetting] {
    guard let value = try transaction.get(.state, key) else { return [] }
    guard let settings = decode(value) else {
      throw StateError.damaged(
        transaction.environment.directory, "the row of the settings is broken")
    }
    return settings
  }
}
