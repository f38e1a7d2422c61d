package import SessionModel

/// How a measured span was spread, over all times that it was measured.
package struct Spread {
  private var spans: [Microseconds] = []

  package init() {}

  package mutating func add(_ span: Microseconds) { spans.append(span) }

  package var count: Int { spans.count }

  /// The span that this share of all does not exceed; nil where nothing was measured.
  ///
  /// - Parameter share: 0 is the least, 0.5 the median, 1 the greatest (nearest rank).
  package func quantile(_ share: Double) -> Microseconds? {
    let sorted = spans.sorted()
    if sorted.isEmpty { return nil }
    let rank = Int((share * Double(sorted.count)).rounded(.up))
    return sorted[min(sorted.count - 1, max(0, rank - 1))]
  }
}
