import CLMDB

extension Environment {
  /// Walks all pages of the newest snapshot, so that LMDB may follow them.
  ///
  /// - Parameter beside: another process may be writing: what looks wrong is looked at again.
  /// - Returns: how the pages are used.
  /// - Throws: `.corrupt` names the damage; `.inputOutput`.
  @discardableResult
  func checkPages(beside: Bool) throws(StateError) -> PageWalk.Use {
    var attempts = beside ? 5 : 1
    while true {
      do throws(StateError) {
        return try read { (transaction) throws(StateError) in try checkPages(of: transaction) }
      } catch {
        attempts -= 1
        guard attempts > 0, case .corrupt = error else { throw error }
      }
    }
  }

  /// Walks all pages of a snapshot: those that LMDB itself goes by in this transaction, in the very
  /// file that it has mapped.
  func checkPages(of transaction: borrowing Transaction) throws(StateError) -> PageWalk.Use {
    let number = UInt64(mdb_txn_id(transaction.handle))
    do throws(PageFault) {
      guard let meta = try MetaPages(descriptor: descriptor).page(of: number) else {
        throw .damaged("no meta page of data.mdb is of transaction \(number)")
      }
      let flags = Database.allCases.map { ($0.name, UInt16($0.flags)) }
      return try PageWalk.check(
        descriptor: descriptor, meta: meta, flags: Dictionary(uniqueKeysWithValues: flags))
    } catch {
      throw StateError.pages(error, directory: directory)
    }
  }
}
