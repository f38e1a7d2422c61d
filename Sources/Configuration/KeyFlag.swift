import SessionModel

/// The checks of `--key`.
extension FlagValues {
  /// Names of fields, in order: `user_id`, `ip`, and up to `KeyLayout.ownFields` of one's own.
  func keyFields() throws(UsageError) -> [String] {
    let text = try required("key")
    var names: [String] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let name = Lines.trimmed(part)
      try check(keyField: name)
      if names.contains(name) {
        throw invalid("key", "\(name) is given twice", remedy: "name each field once")
      }
      names.append(name)
    }
    if KeyLayout(names).own.count > KeyLayout.ownFields {
      throw invalid(
        "key", "a key has at most \(KeyLayout.ownFields) fields besides user_id and ip",
        remedy: "leave some out")
    }
    return names
  }

  private func check(keyField name: String) throws(UsageError) {
    if [EventField.userID.name, EventField.ip.name].contains(name) { return }
    let isPlain = name.unicodeScalars.allSatisfy {
      switch $0 {
      case "a"..."z", "0"..."9", "_": true
      default: false
      }
    }
    if !isPlain || name.isEmpty || name.utf8.count > 63 || name.first?.isNumber ?? false {
      throw invalid(
        "key", "\(quoted(name)) cannot be a column's name",
        remedy: "use lower-case letters, digits and '_', at most 63 of them, no digit first")
    }
    let isTaken =
      EventField.allCases.contains { $0.name == name }
      || SessionSchema.standard.names.contains(name)
    if isTaken {
      throw invalid(
        "key", "\(name) is the name of another column or field",
        remedy: "give it a name of its own: --field my_\(name)=PATH --key my_\(name)")
    }
  }
}
