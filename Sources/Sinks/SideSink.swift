package import SessionModel

/// A place outside the state for the entries of a side output. One thread calls everything here.
///
/// Nothing remembers a position: a batch stays in the state until a checkpoint after its write has
/// removed it, and nothing else is written before. What the last batch holds is therefore all that
/// can be in both after a crash.
package protocol SideSink: AnyObject {
  /// Claims the place, makes it where it is missing, and finds out what it holds of the last batch.
  ///
  /// - Parameters: as `Sink.open` has them.
  /// - Throws: `SinkError`; nothing was written.
  func open(
    identity: JobIdentity, owner: OwnerID, claim: SinkClaim, adopt: Bool
  ) throws(SinkError)

  /// Whether the entry is of the batch that was written last before `open`. To be asked for every
  /// entry of the state, and those removed, before anything is written.
  func holds(_ entry: SideEntry) -> Bool

  /// Makes entries durable in one atomic step.
  ///
  /// - Throws: `SinkError`. After `.unavailable` the outcome may be unknown; `open` with `.again`
  ///   tells.
  func write(_ entries: [SideEntry]) throws(SinkError)

  func close()
}
