import Console
import Pipeline
import SessionModel
import StateStore

/// The last line of a run and the summary of a state, for people and for programs.
enum SummaryText {
  static func line(_ summary: RunSummary) -> String {
    let state = summary.state
    let counters = state.counters
    let seconds = Double(summary.elapsed) / Double(Microseconds.perSecond)
    let bots = counters.botSessions > 0 ? ", dropped as bots \(counters.botSessions)" : ""
    let rate = seconds > 0 ? UInt64(Double(summary.recordsThisRun) / seconds) : 0
    return """
      records read \(counters.recordsRead) = events in sessions \(counters.eventsInSessions) \
      + late \(counters.late) + rejected \(counters.rejected); \
      sessions closed \(counters.sessionsClosed), delivered \(counters.delivered), \
      open \(state.openSessions)\(bots); this run: \(summary.recordsThisRun) records in \
      \(summary.elapsed / Microseconds.perMillisecond) ms (\(rate)/s)
      """
  }

  static func json(_ summary: RunSummary) -> [UInt8] {
    var json = JSONWriter()
    json.object {
      $0.member("records_this_run", summary.recordsThisRun)
      $0.member("elapsed_ms", summary.elapsed / Microseconds.perMillisecond)
      members(of: summary.state, topic: nil, into: &$0)
    }
    json.endLine()
    return json.bytes
  }

  static func members(
    of state: CheckpointState, topic: String?, into json: inout JSONWriter
  ) {
    let counters = state.counters
    json.member("records_read", counters.recordsRead)
    json.member("events_in_sessions", counters.eventsInSessions)
    json.member("late", counters.late)
    json.object("late_by_reason") { json in
      for reason in LateReason.allCases {
        json.member(reason.code, counters.lateByReason[Int(reason.rawValue)])
      }
    }
    json.member("rejected", counters.rejected)
    json.object("rejected_by_reason") { json in
      for reason in RejectReason.allCases
      where counters.rejectedByReason[Int(reason.rawValue)] > 0 {
        json.member(reason.code, counters.rejectedByReason[Int(reason.rawValue)])
      }
    }
    json.member("open_sessions", state.openSessions)
    json.member("closing_sessions", state.closingSessions)
    json.member("sessions_closed", counters.sessionsClosed)
    json.member("sessions_closed_by_flush", counters.sessionsClosedByFlush)
    json.member("bot_sessions", counters.botSessions)
    json.member("bot_events", counters.botEvents)
    json.member("outbox_rows", state.outboxRows)
    json.member("delivered", counters.delivered)
    json.member("flushes", counters.flushes)
    json.member("idlings", counters.idlings)
    json.member("cut_texts", counters.cutTexts)
    json.member("lost_offsets", counters.lostOffsets)
    json.member("rows_without_geography", counters.rowsWithoutGeography)
    json.member("bytes_read", counters.bytesRead)
    json.array("sinks") { json in
      for sink in state.sinks {
        json.object {
          $0.member("name", sink.name)
          $0.member("url", sink.url)
          $0.member("position", sink.acknowledged?.description)
          $0.member("skipped", sink.skipped)
        }
      }
    }
    json.member("watermark", time: state.watermark)
    json.member("close_line", time: state.closeLine)
    json.member("checkpoint", state.checkpoint)
    json.member("checkpoint_at", time: state.frozenAt)
    guard let topic else { return }
    json.array("partitions") { json in
      for partition in state.partitions {
        json.object {
          $0.member("topic", topic)
          $0.member("partition", partition.partition)
          $0.member("next_offset", partition.nextOffset)
          $0.member("max_event_time", time: partition.maxEventTime)
        }
      }
    }
  }
}
