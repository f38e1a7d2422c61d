import EventDecoding
import SessionModel
import TestSupport
import Testing

/// `--ip-from header:NAME`.
@Suite struct ForwardedAddressTests {
  private static func decode(
    _ headers: String, from name: String = "x-forwarded-for", ip: String = #""9.9.9.9""#
  ) -> Outcome {
    EventDecodingTests.decode(record(ip: ip, #""headers":\#(headers)"#)) { $0.ipHeader = name }
  }

  @Test(arguments: [
    ("8.8.8.8", "8.8.8.8"), ("8.8.8.8, 1.1.1.1", "8.8.8.8"),
    ("10.0.0.1, 192.168.1.1,8.8.4.4 , 1.1.1.1", "8.8.4.4"),
    ("unknown, , 127.0.0.1, 100.64.0.1, 169.254.1.1, 172.31.0.1, 1.1.1.1:443", "1.1.1.1"),
    ("2001:db8::1, fe80::1, ::1, fd00::1, 2A00:1450::0:1", "2a00:1450::1"),
    ("[2a00:1450::1]:8080", "2a00:1450::1"), ("::ffff:10.0.0.1, ::ffff:8.8.8.8", "8.8.8.8"),
    ("for=8.8.8.8;proto=http;by=10.0.0.1", "8.8.8.8"),
    (#"proto=https; For=\"[2a00:1450::1]:47\", for=1.1.1.1"#, "2a00:1450::1"),
    ("for=unknown, for=_hidden, for=1.1.1.1", "1.1.1.1"),
    ("192.0.2.1, 198.51.100.1, 203.0.113.1, 198.18.0.1, 224.0.0.1, 255.255.255.255", "9.9.9.9"),
    ("", "9.9.9.9"), (",,,", "9.9.9.9"), ("me", "9.9.9.9"), ("for=", "9.9.9.9"),
  ])
  func `the first public address of the list is the visitor's, else the mapped one`(
    list: String, expected: String
  ) {
    #expect(Self.decode(#"{"x-forwarded-for":"\#(list)"}"#).event?.ip == expected)
  }

  @Test(arguments: [
    #"{"X-Forwarded-For":"8.8.8.8"}"#, #"{"a":1,"x-FORWARDED-for":"8.8.8.8","b":[]}"#,
  ])
  func `the header's name is the same in capitals`(headers: String) {
    #expect(Self.decode(headers).event?.ip == "8.8.8.8")
    #expect(Self.decode(headers, from: "X-Forwarded-FOR").event?.ip == "8.8.8.8")
    #expect(Self.decode(headers, from: "x-real-ip").event?.ip == "9.9.9.9")
  }

  @Test(arguments: ["null", "[]", "7", #""8.8.8.8""#, #"{"x-forwarded-for":["8.8.8.8"]}"#])
  func `headers of another form leave the mapped address`(headers: String) {
    #expect(Self.decode(headers).event?.ip == "9.9.9.9")
  }

  @Test func `a header serves where there is no mapped address, and without both it is rejected`() {
    #expect(Self.decode(#"{"x-forwarded-for":"8.8.8.8"}"#, ip: "null").event?.ip == "8.8.8.8")
    #expect(Self.decode("{}", ip: "null") == .rejected(.missingIP, .ip))
  }
}
