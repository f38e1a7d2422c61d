import Enrichment
import EventDecoding
import KafkaClient
import SessionModel
import Sinks
import StateStore

/// The C libraries in use, each asked by the target that imports it.
enum LibraryVersions {
  static var all: [(name: String, version: String)] {
    [
      ("librdkafka", KafkaLibrary.version), ("LMDB", StateLibrary.version),
      ("SQLite", SQLiteLibrary.version), ("libcrypto", CryptoLibrary.version),
      ("simdjson", JSONLibrary.version), ("xxHash", HashLibrary.version),
      ("libmaxminddb", EnrichmentLibraries.maxMindVersion),
    ]
  }
}
