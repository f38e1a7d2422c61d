/// A table for people, made row by row: column widths come from the first rows, so that a long
/// result streams. Cells are made harmless for the terminal.
package struct TextTable {
  package struct Column {
    package let title: String
    /// Numbers stand at the right.
    package let isNumber: Bool
    /// In cells; what is wider is cut.
    package let maxWidth: Int

    package init(_ title: String, isNumber: Bool = false, maxWidth: Int = 60) {
      self.title = title
      self.isNumber = isNumber
      self.maxWidth = maxWidth
    }
  }

  /// So many rows decide the widths; later ones that do not fit push their line to the right.
  private static let sampleRows = 500

  private let columns: [Column]
  private var sample: [[String]] = []
  private var widths: [Int]?

  package init(_ columns: [Column]) {
    self.columns = columns
  }

  /// - Parameter cells: one a column.
  /// - Returns: the text to print now; empty while widths are still being found.
  package mutating func add(_ cells: [String]) -> String {
    precondition(cells.count == columns.count, "a table's rows have a cell for each column")
    let row = zip(cells, columns).map { cell, column in
      DisplayWidth.cut(TerminalText.sanitised(cell), to: column.maxWidth)
    }
    if let widths { return line(row, widths) }
    sample.append(row)
    return sample.count < TextTable.sampleRows ? "" : drain()
  }

  /// The rest, with the titles where not even they have been printed.
  package mutating func finish() -> String { widths == nil ? drain() : "" }

  private mutating func drain() -> String {
    let titles = columns.map(\.title)
    let widths = columns.indices.map { index in
      ([titles] + sample).map { DisplayWidth.of($0[index]) }.max() ?? 0
    }
    self.widths = widths
    var text = line(titles, widths)
    text += line(widths.map { String(repeating: "-", count: $0) }, widths)
    for row in sample { text += line(row, widths) }
    sample = []
    return text
  }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    var text = ""
    for (index, cell) in cells.enumerated() {
      if index > 0 { text += "  " }
      let padding = String(repeating: " ", count: max(0, widths[index] - DisplayWidth.of(cell)))
      if columns[index].isNumber {
        text += padding + cell
      } else {
        text += index == cells.count - 1 ? cell : cell + padding
      }
    }
    return text + "\n"
  }
}
