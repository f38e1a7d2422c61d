import SessionModel
import Sinks
import StateStore

/// The comparison with the uninterrupted run.
extension Drill {
  func compare(with calm: Workplace) throws(DrillFailure) {
    for (mine, theirs) in zip(place.sinks, calm.sinks) {
      observer.progress("comparing", report.sinks.count, place.sinks.count, "sinks")
      do throws(SinkError) {
        report.sinks.append(
          DrillReport.SinkResult(
            sink: mine,
            comparison: try RowComparison(
              drilled: try Sinks.arrivedRows(
                mine, table: place.table, options: place.options),
              uninterrupted: try Sinks.arrivedRows(
                theirs, table: calm.table, options: calm.options))))
      } catch {
        throw DrillFailure(error)
      }
    }
    report.differences = try StateComparison.differences(
      drilled: place.state, uninterrupted: calm.state)
    guard let state = try place.inspect() else {
      throw DrillFailure(found: "the last life left no state")
    }
    report.counters = state.counters
    compareCounts(state.counters)
    try compareGeography()
  }

  private func compareGeography() throws(DrillFailure) {
    guard let geography else { return }
    for sink in place.sinks {
      do throws(SinkError) {
        report.differences += try geography.differences(
          in: sink, table: place.table, options: place.options)
      } catch {
        throw DrillFailure(error)
      }
    }
  }

  /// What was sent, read and delivered, whatever the uninterrupted run says.
  private func compareCounts(_ counters: Counters) {
    if counters.recordsRead != UInt64(options.events) {
      report.differences.append(
        "records read: \(counters.recordsRead), events sent \(options.events)")
    }
    for result in report.sinks where result.comparison.rows != counters.sessionsClosed {
      report.differences.append(
        "rows in \(result.sink.name): \(result.comparison.rows), sessions closed "
          + "\(counters.sessionsClosed)")
    }
  }
}
