import Enrichment
import Platform
import SessionModel
import Sinks
import Synchronization

/// The geography service of a drill, which fails as often as it was told.
final class DrillGeography {
  private let server: GeographyServer

  /// - Parameter failures: of a hundred requests.
  init(failures: Int, seed: UInt64) throws(DrillFailure) {
    let random = Mutex(DrillRandom(seed: seed ^ 0x6A09_E667_F3BC_C908))
    do throws(SystemError) {
      server = try GeographyServer { request in
        random.withLock { random in
          random.below(100) < Int64(failures)
            ? DrillGeography.failure(&random) : GeographyServer.answer(to: request.ip)
        }
      }
    } catch {
      throw DrillFailure(error)
    }
  }

  /// Some rest all requests, so those are few.
  private static func failure(_ random: inout DrillRandom) -> GeographyServer.Reply {
    switch random.below(20) {
    case 0: .http(status: 429, body: "{}")
    case 1...4: .cut
    case 5...8: .http(status: 200, body: "not what was asked for")
    case 9...12: .http(status: 503, body: "", retryAfter: 1)
    default: .http(status: 500, body: #"{"error":{"error_code":10500,"error_message":"Broken"}}"#)
    }
  }

  /// Arguments of `run`.
  var flags: [String] {
    ["--geo", "ip2location", "--geo-url", server.url, "--geo-deadline", "off"]
      + ["--geo-requests", "32"]
  }

  /// - Returns: a line where rows have other places than the service named.
  func differences(
    in sink: SinkAddress, table: TableName, options: SinkOptions
  ) throws(SinkError) -> [String] {
    let rows = try Sinks.arrivedRows(sink, table: table, options: options)
    var reader = SessionRowReader()
    var wrong = 0
    while let line = try rows.next() {
      let isRight = reader.encodedRow(line)?.withUnsafeBytes { bytes in
        SessionRow(bytes: bytes).map(DrillGeography.isRight) ?? false
      }
      if isRight != true { wrong += 1 }
    }
    return wrong == 0
      ? [] : ["\(wrong) rows in \(sink.name) lie elsewhere than the geography service said"]
  }

  private static func isRight(_ row: SessionRow) -> Bool {
    func text(_ column: RowText) -> String? {
      row[column].map { String(decoding: $0, as: UTF8.self) }
    }
    let found = [text(.country), text(.state), text(.city)]
    guard let ip = row[.ip], VisitorAddress.isPublic(ip) else { return found == [nil, nil, nil] }
    let place = GeographyServer.place(of: String(decoding: ip, as: UTF8.self))
    return found == [place.country, place.state, place.city]
  }
}
