import KafkaClient
import Platform
import SessionModel

/// Runs the opening on a thread of its own: its questions block, and brokers can be away for long.
final class OpeningThread: Sendable {
  private struct Board: Sendable {
    var result: Result<KafkaOpening.Plan, SourceError>?
    var notices: [String] = []
    var isStopping = false
    var hasEnded = false
  }

  private let board = Monitor(Board())

  /// - Parameter wake: called when there is something to take.
  /// - Throws: `SourceError.configuration`, also for settings that librdkafka refuses.
  init(
    _ options: KafkaSourceOptions, resume: [PartitionProgress], wake: @escaping @Sendable () -> Void
  ) throws(SourceError) {
    let inquirer: Inquirer
    do throws(KafkaError) { inquirer = try Inquirer(options.configuration) } catch {
      throw .configuration(error.message)
    }
    let board = board
    do throws(SystemError) {
      _ = try WorkerThread("kafka-opening") {
        let questions = OpeningQuestions(
          inquirer: inquirer, options: options, isKnownTopic: !resume.isEmpty,
          isStopping: { board.read { $0.isStopping } },
          pause: { pause in
            _ = board.wait(until: Clock.monotonic + pause) { $0.isStopping ? true : nil }
          },
          report: { notice in
            board.change { $0.notices.append(notice) }
            wake()
          })
        let result: Result<KafkaOpening.Plan, SourceError>
        do throws(SourceError) {
          result = .success(try KafkaOpening(options, questions).plan(resume: resume))
        } catch {
          result = .failure(error)
        }
        board.change {
          $0.result = result
          $0.hasEnded = true
        }
        wake()
      }
    } catch {
      throw .unavailable("cannot start a thread: \(error)")
    }
  }

  func takeNotices() -> [String] {
    board.change { board in
      defer { board.notices = [] }
      return board.notices
    }
  }

  /// - Returns: nil while it goes on.
  func takePlan() throws(SourceError) -> KafkaOpening.Plan? {
    try board.change { (board) throws(SourceError) in
      defer { board.result = nil }
      return try board.result?.get()
    }
  }

  /// Asks it to end, and waits a moment: a question under way goes on until its time-out.
  ///
  /// - Returns: false if it had not ended by then.
  func stop(until deadline: Int64) -> Bool {
    board.change { $0.isStopping = true }
    return board.wait(until: deadline) { $0.hasEnded ? true : nil } ?? false
  }
}
