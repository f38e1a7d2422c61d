import Platform
import SessionModel
import StateStore
import Synchronization
import TestSupport
import Testing

/// The three kinds of threads at work at once, as in a run.
@Suite struct ThreadTests {
  private final class Mailbox: Sendable {
    let committed = Monitor<Int>(0)
    let failure = Mutex<String?>(nil)
    let delivered = Mutex<[Int]>([])
  }

  @Test func `rows are delivered and records read while a writer thread commits`() throws {
    let directory = TemporaryDirectory()
    let store = try StateStore.open(directory: directory.path, identity: TestTask.identity)
    let mailbox = Mailbox()
    let rounds = 60
    let drafts = Monitor<[CheckpointDraft]>([])

    let writer = try WorkerThread("writer") {
      for _ in 0..<rounds {
        let draft = drafts.wait { $0.isEmpty ? nil : $0.removeFirst() }!
        do {
          try store.commit(draft)
          mailbox.committed.change { $0 += 1 }
        } catch {
          mailbox.failure.withLock { $0 = "\(error)" }
          return
        }
      }
    }
    let delivery = try WorkerThread("delivery") {
      var position: RowPosition?
      while mailbox.delivered.withLock({ $0.count }) < rounds * 10 {
        do {
          let batch = try store.readOutbox(after: position, maxRows: 7, maxBytes: 4_096)
          batch.forEachEncoded { row in
            let end = SessionRow(bytes: row)!.sessionEnd
            mailbox.delivered.withLock { $0.append(Int(end / 10)) }
          }
          position = batch.lastPosition ?? position
        } catch {
          mailbox.failure.withLock { $0 = "\(error)" }
          return
        }
      }
    }
    try gather(rounds, store: store, drafts: drafts, committed: mailbox.committed)
    writer.join()
    delivery.join()
    #expect(mailbox.failure.withLock { $0 } == nil)
    #expect(mailbox.delivered.withLock { $0 } == Array(1...(rounds * 10)))
    #expect(try store.verify() == [])
  }

  private func gather(
    _ rounds: Int, store: StateStore, drafts: Monitor<[CheckpointDraft]>, committed: Monitor<Int>
  ) throws {
    var ledger = store.recoveredLedger
    var places: [KeyHash: RecordPlace] = [:]
    for round in 1...rounds {
      let draft = CheckpointDraft(checkpoint: UInt64(round))
      let inWork = UInt64(round - 1)
      for number in 0..<200 {
        let hash = Sample.hash(number)
        // Every place behind the checkpoint under way can be read.
        if let old = places[hash], old.checkpoint < inWork {
          let same = try store.withRecord(old, hash: hash) { SessionRecord(packed: $0) != nil }
          #expect(same)
        }
        if (number + round) % 3 != 0 { continue }
        var packed: [UInt8] = []
        Sample.record(number, time: Microseconds(round)).append(to: &packed)
        let last = Microseconds(round) + 7
        let place = packed.withUnsafeBytes {
          draft.append(hash: hash, payload: $0, leastLast: last)
        }
        ledger.retire(places[hash] ?? .none)
        ledger.add(place)
        places[hash] = place
      }
      for number in 1...10 { Sample.appendRow((round - 1) * 10 + number, to: &draft.rows) }
      draft.state.counters.sessionsClosed = UInt64(round * 10)
      ledger.finish(draft)
      _ = committed.wait { $0 == round - 1 ? true : nil }
      drafts.change { $0.append(draft) }
    }
  }
}
