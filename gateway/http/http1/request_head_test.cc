#include "gateway/http/http1/request_head.h"

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace entrepot::gateway::http {
namespace {

using Outcome = RequestHead::Outcome;

constexpr RequestHead::Limits kLimits{.header_bytes_max = 4096, .uri_bytes_max = 256};

struct Parsed {
  std::string data;
  Outcome outcome = Outcome::kIncomplete;
  RequestHead head{kLimits};
  Request request;
};

std::unique_ptr<Parsed> Parse(absl::string_view data) {
  auto parsed = std::make_unique<Parsed>();
  parsed->data = std::string(data);
  parsed->outcome = parsed->head.Parse(parsed->data);
  if (parsed->outcome == Outcome::kComplete) parsed->head.Fill(parsed->data, &parsed->request);
  return parsed;
}

// Parses the data as a connection might deliver it. The data moves between calls.
Outcome ParseByteByByte(absl::string_view data) {
  RequestHead head(kLimits);
  Outcome outcome = Outcome::kIncomplete;
  for (size_t size = 1; size <= data.size() && outcome == Outcome::kIncomplete; ++size) {
    const std::string copy(data.substr(0, size));
    outcome = head.Parse(copy);
  }
  return outcome;
}

std::string Get(absl::string_view fields) { return absl::StrCat("GET /v2/ HTTP/1.1\r\nHost: r\r\n", fields, "\r\n"); }
std::string GetTarget(absl::string_view target) { return absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: r\r\n\r\n"); }

TEST(RequestHeadTest, ParsesAWholeRequest) {
  const std::string data =
      "PATCH /v2/a/blobs/uploads/1?x=%2F&y HTTP/1.1\r\nHost: registry:5000\r\nX-Empty:\r\n"
      "Content-Length:  12 \r\nContent-Range: 0-11\t\r\n\r\nhello, world";
  const auto parsed = Parse(data);
  ASSERT_EQ(parsed->outcome, Outcome::kComplete);
  const Request& request = parsed->request;
  EXPECT_EQ(request.method, "PATCH");
  EXPECT_EQ(request.path, "/v2/a/blobs/uploads/1");
  EXPECT_EQ(request.query, "x=%2F&y");
  ASSERT_EQ(request.fields.size(), 4u);
  EXPECT_EQ(request.fields[0].value, "registry:5000");
  EXPECT_EQ(request.fields[1].name, "X-Empty");
  EXPECT_EQ(request.fields[1].value, "");
  EXPECT_EQ(request.fields[2].value, "12");
  EXPECT_EQ(request.fields[3].value, "0-11");
  EXPECT_EQ(parsed->head.content_length(), 12u);
  EXPECT_FALSE(parsed->head.chunked());
  EXPECT_TRUE(parsed->head.keep_alive());
  EXPECT_EQ(data.substr(parsed->head.size_bytes()), "hello, world");
}

TEST(RequestHeadTest, ContinuesWithMoreData) {
  EXPECT_EQ(ParseByteByByte(Get("Accept: */*\r\n")), Outcome::kComplete);
  EXPECT_EQ(ParseByteByByte(Get("Accept : */*\r\n")), Outcome::kRefused);
  EXPECT_EQ(ParseByteByByte("GET /v2/ HTTP/1.1\r\nHost: r\r\n"), Outcome::kIncomplete);
}

TEST(RequestHeadTest, ResetPreparesForTheNextRequest) {
  RequestHead head(kLimits);
  ASSERT_EQ(head.Parse("POST http://a/b?c HTTP/1.0\r\nHost: r\r\nContent-Length: 5\r\nConnection: close\r\n"
                       "Expect: 100-continue\r\n\r\n"),
            Outcome::kComplete);
  head.Reset();
  const std::string data = Get("");
  ASSERT_EQ(head.Parse(data), Outcome::kComplete);
  Request request;
  head.Fill(data, &request);
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.path, "/v2/");
  EXPECT_EQ(request.query, "");
  ASSERT_EQ(request.fields.size(), 1u);
  EXPECT_EQ(request.fields[0].value, "r");
  EXPECT_EQ(head.content_length(), 0u);
  EXPECT_TRUE(head.keep_alive());
  EXPECT_FALSE(head.expects_continue());
  EXPECT_FALSE(head.is_http_1_0());
}

TEST(RequestHeadTest, IsBlankUntilTheRequestLineBegins) {
  RequestHead head(kLimits);
  EXPECT_EQ(head.Parse("\r\n"), Outcome::kIncomplete);
  EXPECT_TRUE(head.blank());
  EXPECT_EQ(head.Parse("\r\nG"), Outcome::kIncomplete);
  EXPECT_FALSE(head.blank());
}

TEST(RequestHeadTest, KeepAliveDependsOnConnectionAndVersion) {
  EXPECT_FALSE(Parse(Get("Connection: close\r\n"))->head.keep_alive());
  EXPECT_FALSE(Parse(Get("Connection: TE, Close\r\n"))->head.keep_alive());
  EXPECT_TRUE(Parse(Get("Connection: keep-alive\r\n"))->head.keep_alive());
  const auto old = Parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  ASSERT_EQ(old->outcome, Outcome::kComplete);
  EXPECT_FALSE(old->head.keep_alive());
}

TEST(RequestHeadTest, Expectations) {
  EXPECT_TRUE(Parse(Get("Expect: 100-Continue\r\n"))->head.expects_continue());
  EXPECT_FALSE(Parse("PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n")->head.expects_continue());
  EXPECT_EQ(Parse(Get("Expect: 200-ok\r\n"))->head.refused_status(), 417);
}

TEST(RequestHeadTest, ReplacesTheHostByTheAuthorityOfTheAbsoluteForm) {
  const auto parsed = Parse("GET HTTP://real:80/v2/?n=1 HTTP/1.1\r\nAccept: a\r\nHost: other\r\n\r\n");
  ASSERT_EQ(parsed->outcome, Outcome::kComplete);
  EXPECT_EQ(parsed->request.path, "/v2/");
  EXPECT_EQ(parsed->request.query, "n=1");
  EXPECT_EQ(parsed->request.Find("host"), "real:80");
  EXPECT_EQ(parsed->request.Find("accept"), "a");
}

TEST(RequestHeadTest, ReadsAnAbsoluteFormWithoutPathAsTheRoot) {
  const auto bare = Parse(GetTarget("https://[::1]:5000"));
  ASSERT_EQ(bare->outcome, Outcome::kComplete);
  EXPECT_EQ(bare->request.path, "/");
  const auto query = Parse(GetTarget("http://r?a/b"));
  ASSERT_EQ(query->outcome, Outcome::kComplete);
  EXPECT_EQ(query->request.path, "/");
  EXPECT_EQ(query->request.query, "a/b");
}

struct Case {
  const char* name;
  std::string data;
  int status;
};

void PrintTo(const Case& value, std::ostream* out) { *out << value.name; }

class RefusedTest : public ::testing::TestWithParam<Case> {};

TEST_P(RefusedTest, IsRefusedWholeAndByteByByte) {
  const auto parsed = Parse(GetParam().data);
  ASSERT_EQ(parsed->outcome, Outcome::kRefused);
  EXPECT_EQ(parsed->head.refused_status(), GetParam().status) << parsed->head.refused_message();
  EXPECT_FALSE(parsed->head.refused_message().empty());
  EXPECT_EQ(ParseByteByByte(GetParam().data), Outcome::kRefused);
}

std::string TestName(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(
    RequestLine, RefusedTest,
    ::testing::Values(Case{"Empty", "\r\n\r\n", 400}, Case{"NoVersion", "GET /\r\n", 400},
                      Case{"TwoSpaces", "GET  / HTTP/1.1\r\n", 400}, Case{"SpaceBehind", "GET / HTTP/1.1 \r\n", 400},
                      Case{"LeadingSpace", " GET / HTTP/1.1\r\n", 400}, Case{"Tab", "GET\t/ HTTP/1.1\r\n", 400},
                      Case{"NoTarget", "GET HTTP/1.1\r\n", 400}, Case{"BadMethod", "G(T / HTTP/1.1\r\n", 400},
                      Case{"LongMethod", std::string(33, 'A'), 501}, Case{"Lowercase", "GET / http/1.1\r\n", 400},
                      Case{"Http2", "PRI * HTTP/2.0\r\n", 505}, Case{"Http3", "GET / HTTP/3.1\r\n", 505},
                      Case{"LongVersion", "GET / HTTP/1.10\r\n", 400}, Case{"BareLf", "GET / HTTP/1.1\n", 400},
                      Case{"BareCr", "GET / HTTP/1.1\rHost: r\r\n", 400},
                      Case{"Nul", std::string("GET /\0 HTTP/1.1\r\n", 17), 400},
                      Case{"Delete", "GET /\x7f HTTP/1.1\r\n", 400}, Case{"TlsHello", "\x16\x03\x01", 400}),
    TestName);

INSTANTIATE_TEST_SUITE_P(
    Target, RefusedTest,
    ::testing::Values(Case{"Relative", GetTarget("v2/"), 400}, Case{"Fragment", GetTarget("/v2/#a"), 400},
                      Case{"Utf8", GetTarget("/v2/\xc3\xa4"), 400}, Case{"InvalidUtf8", GetTarget("/v2/\xff"), 400},
                      Case{"Quote", GetTarget("/v2/\"a\""), 400}, Case{"Backslash", GetTarget("/v2\\"), 400},
                      Case{"OtherScheme", GetTarget("ftp://r/v2/"), 400}, Case{"NoHost", GetTarget("http:///v2/"), 400},
                      Case{"UserInfo", GetTarget("http://a@r/v2/"), 400},
                      Case{"BadPort", GetTarget("http://r:99999/v2/"), 400}, Case{"Asterisk", GetTarget("*"), 400},
                      Case{"OptionsAsterisk", "OPTIONS * HTTP/1.1\r\n", 405},
                      Case{"Connect", "CONNECT r:443 HTTP/1.1\r\n", 405},
                      Case{"ConnectNothing", "CONNECT : HTTP/1.1\r\n", 400},
                      Case{"Long", GetTarget(absl::StrCat("/", std::string(256, 'a'))), 414},
                      Case{"LongUnfinished", absl::StrCat("GET /", std::string(256, 'a')), 414}),
    TestName);

INSTANTIATE_TEST_SUITE_P(
    Field, RefusedTest,
    ::testing::Values(Case{"Folded", Get("A: b\r\n c\r\n"), 400}, Case{"FoldedTab", Get("A: b\r\n\tc\r\n"), 400},
                      Case{"FoldedFirst", "GET / HTTP/1.1\r\n Host: r\r\n\r\n", 400},
                      Case{"SpaceBeforeColon", Get("A : b\r\n"), 400}, Case{"NoName", Get(": b\r\n"), 400},
                      Case{"NoColon", Get("abc\r\n"), 400}, Case{"NameNotToken", Get("A[b]: c\r\n"), 400},
                      Case{"NameUtf8", Get("\xc3\xa4: c\r\n"), 400},
                      Case{"NulInValue", Get(std::string("A: b\0c\r\n", 8)), 400},
                      Case{"BellInValue", Get("A: b\ac\r\n"), 400}, Case{"BareLfInValue", Get("A: b\nC: d\r\n"), 400},
                      Case{"BareCrInValue", Get("A: b\rC: d\r\n"), 400},
                      Case{"TooMany", Get([] {
                             std::string fields;
                             for (int i = 0; i < 256; ++i) fields += "a:\r\n";
                             return fields;
                           }()),
                           431},
                      Case{"TooLong", Get(absl::StrCat("A: ", std::string(4096, 'b'), "\r\n")), 431},
                      Case{"TooLongUnfinished", absl::StrCat("GET / HTTP/1.1\r\nA: ", std::string(4096, 'b')), 431}),
    TestName);

std::string Refusal(const RequestHead::Limits& limits, absl::string_view data) {
  RequestHead head(limits);
  if (head.Parse(data) != Outcome::kRefused) return "";
  return absl::StrCat(head.refused_status(), ": ", head.refused_message());
}

constexpr RequestHead::Limits kTokenLimits{.header_bytes_max = 1024,
                                           .uri_bytes_max = 256,
                                           .authorization_bytes_max = 8192,
                                           .long_query_path = "/token",
                                           .long_query_bytes_max = 4096};

std::string AskForToken(size_t query_bytes, size_t credential_bytes) {
  return absl::StrCat("GET /token?", std::string(query_bytes, 'q'),
                      " HTTP/1.1\r\nHost: r\r\nAuthorization: ", std::string(credential_bytes, 'c'), "\r\n\r\n");
}

TEST(RequestHeadTest, TheQueryOfATokenAndTheCredentialHaveLimitsOfTheirOwn) {
  const std::string largest = AskForToken(4096, 8192);
  for (const size_t step : {1, 7, 100'000}) {
    RequestHead head(kTokenLimits);
    Outcome outcome = Outcome::kIncomplete;
    for (size_t size = step; outcome == Outcome::kIncomplete; size += step) {
      outcome = head.Parse(absl::string_view(largest).substr(0, size));
    }
    ASSERT_EQ(outcome, Outcome::kComplete) << head.refused_message();
    Request request;
    head.Fill(largest, &request);
    EXPECT_EQ(request.path, "/token");
    EXPECT_EQ(request.query.size(), 4096u);
    EXPECT_EQ(request.fields[1].value.size(), 8192u);
  }
}

TEST(RequestHeadTest, ARefusalNamesTheLimitAndItsSetting) {
  const RequestHead::Limits& limits = kTokenLimits;
  EXPECT_EQ(Refusal(limits, AskForToken(4097, 0)),
            "414: the query is longer than 4096 bytes (limits.token_query_bytes_max)");
  EXPECT_EQ(Refusal(limits, absl::StrCat("GET /token?", std::string(4097, 'q'))),
            "414: the query is longer than 4096 bytes (limits.token_query_bytes_max)");
  const std::string too_long =
      "431: the header is longer than 1024 bytes (limits.header_bytes_max), without a credential of up to 8192 bytes "
      "(limits.authorization_bytes_max)";
  EXPECT_EQ(Refusal(limits, AskForToken(4096, 9300)), too_long);
  EXPECT_EQ(Refusal(limits, AskForToken(4096, 9300).substr(0, 4096 + 9300)), too_long);
  EXPECT_EQ(Refusal(limits, absl::StrCat("GET / HTTP/1.1\r\nHost: r\r\nX: ", std::string(1100, 'x'))), too_long);
  // Other paths and fields have no such room.
  for (const absl::string_view path : {"/tokens?", "/v2/?", "/token/?", "/token"}) {
    EXPECT_EQ(Refusal(limits, absl::StrCat("GET ", path, std::string(260, 'q'), " HTTP/1.1\r\n")),
              "414: the request target is longer than 256 bytes (limits.uri_bytes_max)")
        << path;
  }
  // Only one credential is not counted.
  EXPECT_EQ(Refusal(limits, absl::StrCat("GET / HTTP/1.1\r\nHost: r\r\nAuthorization: a\r\nAuthorization: ",
                                         std::string(1100, 'c'), "\r\n\r\n")),
            too_long);
}

INSTANTIATE_TEST_SUITE_P(
    Host, RefusedTest,
    ::testing::Values(Case{"Missing", "GET / HTTP/1.1\r\n\r\n", 400}, Case{"Twice", Get("Host: r\r\n"), 400},
                      Case{"Empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
                      Case{"WithPath", "GET / HTTP/1.1\r\nHost: r/a\r\n\r\n", 400},
                      Case{"WithUser", "GET / HTTP/1.1\r\nHost: a@r\r\n\r\n", 400},
                      Case{"WithSpace", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
                      Case{"WithComma", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
                      Case{"PortNoNumber", "GET / HTTP/1.1\r\nHost: r:5000x\r\n\r\n", 400},
                      Case{"BadInAbsoluteForm", "GET http://r/ HTTP/1.1\r\nHost: a b\r\n\r\n", 400}),
    TestName);

INSTANTIATE_TEST_SUITE_P(
    Framing, RefusedTest,
    ::testing::Values(Case{"LengthAndChunked", Get("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"), 400},
                      Case{"ChunkedAndLength", Get("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"), 400},
                      Case{"LengthTwiceEqual", Get("Content-Length: 4\r\nContent-Length: 4\r\n"), 400},
                      Case{"LengthTwice", Get("Content-Length: 4\r\nContent-Length: 5\r\n"), 400},
                      Case{"LengthList", Get("Content-Length: 4, 4\r\n"), 400},
                      Case{"LengthEmpty", Get("Content-Length:\r\n"), 400},
                      Case{"LengthSigned", Get("Content-Length: +4\r\n"), 400},
                      Case{"LengthNegative", Get("Content-Length: -4\r\n"), 400},
                      Case{"LengthHex", Get("Content-Length: 0x4\r\n"), 400},
                      Case{"Length2To63", Get("Content-Length: 9223372036854775808\r\n"), 400},
                      Case{"Length2To64", Get("Content-Length: 18446744073709551616\r\n"), 400},
                      Case{"EncodingTwice", Get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
                      Case{"ChunkedTwice", Get("Transfer-Encoding: chunked, chunked\r\n"), 400},
                      Case{"NotLast", Get("Transfer-Encoding: chunked, gzip\r\n"), 400},
                      Case{"Identity", Get("Transfer-Encoding: identity\r\n"), 400},
                      Case{"Misspelt", Get("Transfer-Encoding: xchunked\r\n"), 400},
                      Case{"Parameter", Get("Transfer-Encoding: chunked;q=1\r\n"), 400},
                      Case{"VerticalTab", Get("Transfer-Encoding: \vchunked\r\n"), 400},
                      Case{"EncodingEmpty", Get("Transfer-Encoding:\r\n"), 400},
                      Case{"Unsupported", Get("Transfer-Encoding: gzip, chunked\r\n"), 501},
                      Case{"InHttp10", "PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400}),
    TestName);

class AcceptedTest : public ::testing::TestWithParam<Case> {};

TEST_P(AcceptedTest, IsComplete) {
  const auto parsed = Parse(GetParam().data);
  EXPECT_EQ(parsed->outcome, Outcome::kComplete) << parsed->head.refused_message();
  EXPECT_EQ(ParseByteByByte(GetParam().data), Outcome::kComplete);
}

INSTANTIATE_TEST_SUITE_P(Lenient, AcceptedTest,
                         ::testing::Values(Case{"EmptyLineInFront", absl::StrCat("\r\n", Get("")), 0},
                                           Case{"UnknownMethod", "FROB / HTTP/1.1\r\nHost: r\r\n\r\n", 0},
                                           Case{"ConnectWithPath", "CONNECT /v2/ HTTP/1.1\r\nHost: r\r\n\r\n", 0},
                                           Case{"LaterMinorVersion", "GET / HTTP/1.2\r\nHost: r\r\n\r\n", 0},
                                           Case{"Http10WithoutHost", "GET / HTTP/1.0\r\n\r\n", 0},
                                           Case{"ObsText", Get("A: \xc3\xa4\xff\r\n"), 0},
                                           Case{"Tab", Get("A: b\tc\r\n"), 0}, Case{"BlankValue", Get("A: \t \r\n"), 0},
                                           Case{"ChunkedCase", Get("Transfer-Encoding: Chunked\r\n"), 0},
                                           Case{"PercentAndDots", GetTarget("/v2/%2e%2e/../%zz"), 0},
                                           Case{"LargestLength", Get("Content-Length: 9223372036854775807\r\n"), 0},
                                           Case{"HostIpv6", "GET / HTTP/1.1\r\nHost: [::1]:5000\r\n\r\n", 0},
                                           Case{"HostEmptyPort", "GET / HTTP/1.1\r\nHost: r:\r\n\r\n", 0},
                                           Case{"LongestTarget", GetTarget(absl::StrCat("/", std::string(255, 'a'))),
                                                0}),
                         TestName);

// For any input: no crash, the same outcome however the input is split, and an accepted head lies inside the data and
// contains nothing that a header must not contain.
TEST(RequestHeadTest, ParsesRandomBytesConsistently) {
  std::mt19937_64 random(20261124);
  const std::vector<std::string> pieces = {"GET",
                                           "PUT",
                                           " ",
                                           " ",
                                           "/v2/",
                                           "*",
                                           "http://r",
                                           "HTTP/1.1",
                                           "HTTP/1.0",
                                           "\r\n",
                                           "\r\n",
                                           "\r\n",
                                           "\r",
                                           "\n",
                                           ":",
                                           "Host: r",
                                           "\t",
                                           std::string(1, 0),
                                           "é",
                                           "Content-Length: 3",
                                           "a: b",
                                           "Host",
                                           "0",
                                           "?a=b",
                                           "\r\n\r\n",
                                           ",",
                                           "Transfer-Encoding: chunked",
                                           "Expect: 100-continue"};
  int completed = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string data = round % 2 == 0 ? "GET / HTTP/1.1\r\nHost: r\r\n" : "";
    const size_t count = random() % 8;
    for (size_t i = 0; i < count; ++i) data += pieces[random() % pieces.size()];
    if (round % 2 == 0) data += "\r\n\r\n";
    const auto parsed = Parse(data);
    ASSERT_EQ(ParseByteByByte(data), parsed->outcome) << data;
    if (parsed->outcome != Outcome::kComplete) continue;
    ++completed;
    ASSERT_LE(parsed->head.size_bytes(), data.size());
    ASSERT_EQ(parsed->request.path.substr(0, 1), "/");
    for (const Request::Field& field : parsed->request.fields) {
      ASSERT_FALSE(field.name.empty());
      ASSERT_EQ(field.value.find_first_of(absl::string_view("\r\n\0", 3)), absl::string_view::npos);
    }
  }
  EXPECT_GT(completed, 1000);
}

}  // namespace
}  // namespace entrepot::gateway::http
