import CSimdJSON

/// The JSON parser behind this target.
package enum JSONLibrary {
  /// Of the headers built against, for instance `3.0.1`.
  package static var version: String { String(cString: csimdjson_version()) }
}
