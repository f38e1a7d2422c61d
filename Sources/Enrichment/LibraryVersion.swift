import CMaxMindDB

/// The libraries behind this target.
package enum EnrichmentLibraries {
  /// Of libmaxminddb.
  package static var maxMindVersion: String { String(cString: MMDB_lib_version()) }
}
