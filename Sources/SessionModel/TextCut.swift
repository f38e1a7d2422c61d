extension TextView {
  /// The longest beginning of a UTF-8 text that has at most `limit` bytes and ends between two code
  /// points.
  package func cut(at limit: Int) -> TextView {
    if count <= limit { return self }
    var end = limit
    while end > 0, self[end] & 0xC0 == 0x80 { end -= 1 }
    return TextView(rebasing: self[..<end])
  }
}
