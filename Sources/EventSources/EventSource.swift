package import SessionModel

/// Where records come from: Kafka or files. One thread calls everything here except `wake`.
///
/// A source delivers each partition's records in the order of their offsets, each once after
/// `open`, and never skips one silently.
package protocol EventSource: AnyObject {
  /// Finds the partitions, decides where each is read from, and begins to read.
  ///
  /// - Parameter resume: the progress in the state, empty for a new one. A partition that is not in
  ///   it starts as the source's options say (`--from`), or at its beginning where `resume` holds
  ///   others (it was added while nothing ran).
  /// What it needs may be away for long, as brokers are: then it answers nil and is called again,
  /// with the same `resume`, for as long as the caller likes to wait.
  ///
  /// - Parameter maxWait: µs to wait, 0 only looks; `wake` ends the wait early.
  /// - Returns: every partition there is, by number; nil as long as they are not known.
  /// - Throws: `SourceError`; nothing was changed anywhere.
  func open(
    resume: [PartitionProgress], maxWait: Microseconds
  ) throws(SourceError) -> [PartitionStart]?

  /// The id of the cluster that holds the log, once each partition's has been recognised as the one
  /// that the state reflects; nil before that, and where there is no cluster.
  var clusterID: String? { get }

  /// The next records of one partition; the batch before is given back and must not be used again.
  ///
  /// - Parameter maxWait: µs to wait for records where there are none, 0 only looks.
  /// - Returns: nil after the wait, or when woken. A batch may be empty: then it only moves
  ///   `position`: on (the end of the log was reached, behind control records), or back (the log is
  ///   another one, which was accepted). Offsets before `position` come again then, so a checkpoint
  ///   has to come first.
  func nextBatch(maxWait: Microseconds) throws(SourceError) -> RecordBatch?

  /// Stops or resumes reading one partition, for alignment. What is queued of it stays queued.
  func setHeld(_ held: Bool, partition: Int32)

  /// The next offset to read, and what is needed to prove at the next start that the log is still
  /// the one that was read. As of the last batch returned, all of it included.
  func progress(of partition: Int32) -> (nextOffset: Int64, proof: [UInt8])

  /// Whether records of the partition wait in a local queue.
  func hasQueued(_ partition: Int32) -> Bool

  /// Whether all that was in the partition's log when it was last looked at has been returned. More
  /// may have come since; an unknown end counts as no.
  func isAtEnd(_ partition: Int32) -> Bool

  /// Asks for the present ends of partitions' logs; the answers come through `takeEnds`.
  func requestEnds(of partitions: [Int32])

  /// The answers that arrived since the last call.
  func takeEnds() -> [PartitionEnd]

  /// Partitions that were added to the topic since `open`; they are read from their beginning, and
  /// no batch comes of them before this call has named them.
  func takeAddedPartitions() -> [PartitionStart]

  /// Offsets that turned out to be deleted unread since the last call and that
  /// `--on-data-loss continue` accepted. Those that `open` found are in its `PartitionStart`s.
  func takeLostOffsets() -> UInt64

  /// After a checkpoint: shows the offsets to lag tools (the Kafka group). Failures are logged only.
  func mirror(_ offsets: [(partition: Int32, nextOffset: Int64)])

  /// Messages for the log that have come up since the last call (connection lost, back again …).
  func takeNotices() -> [String]

  /// Ends a wait in `nextBatch` early. Any thread may call it.
  func wake()

  /// Ends reading and closes connections, within a bounded time.
  func close()
}

/// Lets other threads end the wait for records.
package struct SourceWaker: @unchecked Sendable {
  // Unchecked: `EventSource.wake` is the one call that any thread may make.
  private let source: any EventSource

  package init(_ source: any EventSource) { self.source = source }

  package func wake() { source.wake() }
}

/// A partition as it was found by `open`.
package struct PartitionStart: Equatable, Sendable {
  package var partition: Int32
  /// The offset that is read first.
  package var nextOffset: Int64
  /// In a bounded run: reading ends here (the log's end when the run started); else nil.
  package var stopOffset: Int64?
  /// Offsets that were deleted unread and that `--on-data-loss continue` accepted.
  package var lostOffsets: UInt64

  package init(
    partition: Int32, nextOffset: Int64, stopOffset: Int64? = nil, lostOffsets: UInt64 = 0
  ) {
    self.partition = partition
    self.nextOffset = nextOffset
    self.stopOffset = stopOffset
    self.lostOffsets = lostOffsets
  }
}

/// Records of one partition, in order; their memory belongs to the source.
package struct RecordBatch {
  package var partition: Int32
  package var records: UnsafeBufferPointer<SourceRecord>
  /// The offset to read next once these records are processed: behind the last one, and behind
  /// control records where the source knows of them.
  package var position: Int64
  /// Whether the source reached its stop offset in this partition (bounded runs only).
  package var reachedStop: Bool

  package init(
    partition: Int32, records: UnsafeBufferPointer<SourceRecord>, position: Int64,
    reachedStop: Bool = false
  ) {
    self.partition = partition
    self.records = records
    self.position = position
    self.reachedStop = reachedStop
  }
}

/// One record, as the log holds it.
package struct SourceRecord {
  package var offset: Int64
  /// The Kafka timestamp in µs; `.never` where there is none (files, old message formats).
  package var timestamp: Microseconds
  /// Nil for a null value. For a value above `Limits.recordBytes` a source may give the beginning
  /// only, `Limits.keptPayloadBytes` at least.
  package var value: UnsafeRawBufferPointer?
  /// The whole value's length in bytes.
  package var valueLength: Int

  package init(
    offset: Int64, timestamp: Microseconds, value: UnsafeRawBufferPointer?, valueLength: Int
  ) {
    self.offset = offset
    self.timestamp = timestamp
    self.value = value
    self.valueLength = valueLength
  }
}

/// The answer to a question for a log's end.
package struct PartitionEnd: Equatable, Sendable {
  package var partition: Int32
  /// When the question was sent, `Clock.monotonic`.
  package var sentAt: Int64
  /// The offset behind the last readable record (read_committed: the last stable offset); nil where
  /// the question failed.
  package var end: Int64?

  package init(partition: Int32, sentAt: Int64, end: Int64?) {
    self.partition = partition
    self.sentAt = sentAt
    self.end = end
  }
}

/// Why a source cannot go on. The state is safe in each case: nothing of it was changed.
package enum SourceError: Error, Equatable, CustomStringConvertible {
  /// Unread records are gone, or the log is not the one that was read (exit code 66).
  case inputLost(String)
  /// No broker could be reached (69).
  case unavailable(String)
  /// The broker refused the credentials or the rights are missing (77).
  case authentication(String)
  /// The topic does not exist, or a setting cannot work (78).
  case configuration(String)
  /// A file cannot be read (74).
  case inputOutput(String)

  package var exitCode: ExitCode {
    switch self {
    case .inputLost: .inputLost
    case .unavailable: .unavailable
    case .authentication: .authentication
    case .configuration: .configuration
    case .inputOutput: .inputOutput
    }
  }

  package var description: String {
    switch self {
    case .inputLost(let message), .unavailable(let message), .authentication(let message),
      .configuration(let message), .inputOutput(let message):
      message
    }
  }
}

extension EventSource {
  /// For sources that are no cluster.
  package var clusterID: String? { nil }

  /// For sources that cannot lose input while they run.
  package func takeLostOffsets() -> UInt64 { 0 }
}
