import CCrypto

/// The C library behind the session ids.
package enum CryptoLibrary {
  /// Of the library loaded now, for instance `3.0.15`.
  package static var version: String { String(cString: OpenSSL_version(OPENSSL_VERSION_STRING)) }
}
