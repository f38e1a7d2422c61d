import SessionModel

/// What the entries that were read last lead to: reading one takes longer than finding it.
///
/// A table of fixed size in which an entry has one place; it drives out what stood there. Bound:
/// `capacity` entries, 2 MB.
struct EntryCache: ~Copyable {
  private static let capacity = 1 << 15

  private struct Place {
    /// No entry of a file is there: data begins behind the search tree, and is shorter than this.
    var entry = UInt32.max
    var geography = Geography()
  }
  private let places: UnsafeMutableBufferPointer<Place>

  init() {
    places = .allocate(capacity: EntryCache.capacity)
    places.initialize(repeating: Place())
  }

  deinit { places.deallocate() }

  /// - Parameter read: asked for what is not there.
  func geography(at entry: UInt32, read: () -> Geography) -> Geography {
    // Entries stand close together: their lower bits spread them, multiplied into the upper ones.
    let place = Int((entry &* 0x9E37_79B1) >> 17)
    if places[place].entry != entry {
      places[place] = Place(entry: entry, geography: read())
    }
    return places[place].geography
  }
}
