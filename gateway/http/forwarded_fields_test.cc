#include "gateway/http/forwarded_fields.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace entrepot::gateway::http {
namespace {

using Fields = std::vector<std::pair<absl::string_view, absl::string_view>>;

Request With(const Fields& fields) {
  Request request;
  for (const auto& [name, value] : fields) request.fields.push_back({name, value});
  return request;
}

// Trusts 10.0.0.0/8 and 2001:db8:1::/48.
bool IsTrusted(const IpAddress& address) {
  static const IpNetwork v4 = IpNetwork::Parse("10.0.0.0/8").value();
  static const IpNetwork v6 = IpNetwork::Parse("2001:db8:1::/48").value();
  return v4.Contains(address) || v6.Contains(address);
}

std::string XForwardedFor(absl::string_view value) {
  return ReadXForwarded(With({{"X-Forwarded-For", value}}), IsTrusted).address;
}

std::string ForwardedFor(absl::string_view value) {
  return ReadForwarded(With({{"Forwarded", value}}), IsTrusted).address;
}

TEST(XForwardedForTest, IsTheLastUntrustedAddress) {
  EXPECT_EQ(XForwardedFor("203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(XForwardedFor("198.51.100.1, 203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(XForwardedFor("198.51.100.1, 203.0.113.9, 10.0.0.2,10.0.0.1"), "203.0.113.9");
  EXPECT_EQ(XForwardedFor("198.51.100.1, 2001:db8:2::1 , 2001:db8:1::1"), "2001:db8:2::1");
}

TEST(XForwardedForTest, IsTheFirstAddressIfAllAreTrusted) {
  EXPECT_EQ(XForwardedFor("10.0.0.3, 10.0.0.2"), "10.0.0.3");
}

TEST(XForwardedForTest, TakesSeveralFieldsAsOneList) {
  const Request request = With({{"X-Forwarded-For", "198.51.100.1, 203.0.113.9"},
                                {"Host", "r"},
                                {"x-forwarded-for", "10.0.0.2"},
                                {"X-FORWARDED-FOR", "10.0.0.1"}});
  EXPECT_EQ(ReadXForwarded(request, IsTrusted).address, "203.0.113.9");
}

TEST(XForwardedForTest, TakesPortsAndBrackets) {
  EXPECT_EQ(XForwardedFor("203.0.113.9:4711"), "203.0.113.9");
  EXPECT_EQ(XForwardedFor("[2001:DB8:2::1]:4711"), "2001:db8:2::1");
  EXPECT_EQ(XForwardedFor("[2001:db8:2::1]"), "2001:db8:2::1");
  EXPECT_EQ(XForwardedFor("::ffff:203.0.113.9"), "203.0.113.9");
}

TEST(XForwardedForTest, StopsAtAnEntryWithoutAnAddress) {
  for (const absl::string_view entry :
       {"", "unknown", "_hidden", "unix:", "\"203.0.113.9\"", "203.0.113.9:", "203.0.113.9:99999", "203.0.113.9 x",
        "[2001:db8::1", "[2001:db8::1]x", "[203.0.113.9]", "[]", "fe80::1%eth0", "\"", "a\"b"}) {
    const std::string list = "198.51.100.1, " + std::string(entry);
    EXPECT_EQ(XForwardedFor(list), "") << entry;
    EXPECT_EQ(XForwardedFor(list + ", 10.0.0.2"), "10.0.0.2") << entry;
  }
  EXPECT_EQ(ReadXForwarded(With({{"X-Forwarded-For", "198.51.100.1"}, {"X-Forwarded-For", ""}}), IsTrusted).address,
            "");
  EXPECT_EQ(ReadXForwarded(With({}), IsTrusted).address, "");
}

TEST(XForwardedForTest, IgnoresOtherFieldsOfAClient) {
  const Request request = With({{"Forwarded", "for=198.51.100.1;proto=https;host=evil"},
                                {"X-Real-IP", "198.51.100.1"},
                                {"X-Forwarded-For", "203.0.113.9"}});
  const ForwardedClient client = ReadXForwarded(request, IsTrusted);
  EXPECT_EQ(client.address, "203.0.113.9");
  EXPECT_EQ(client.is_tls, std::nullopt);
  EXPECT_EQ(client.host, "");
}

TEST(XForwardedProtoTest, IsTheLastValue) {
  const auto is_tls = [](const Fields& fields) { return ReadXForwarded(With(fields), IsTrusted).is_tls; };
  EXPECT_EQ(is_tls({{"X-Forwarded-Proto", "https"}}), true);
  EXPECT_EQ(is_tls({{"X-Forwarded-Proto", "HTTP"}}), false);
  EXPECT_EQ(is_tls({{"X-Forwarded-Proto", "http, https"}}), true);
  EXPECT_EQ(is_tls({{"X-Forwarded-Proto", "http"}, {"X-Forwarded-Proto", "https"}}), true);
  for (const absl::string_view other : {"", "ws", "https://", "https;", "ftp"}) {
    EXPECT_EQ(is_tls({{"X-Forwarded-Proto", other}}), std::nullopt) << other;
  }
}

TEST(XForwardedHostTest, IsTheLastValueIfItIsAHost) {
  const auto host = [](absl::string_view value) {
    return std::string(ReadXForwarded(With({{"X-Forwarded-Host", value}}), IsTrusted).host);
  };
  for (const absl::string_view good : {"r.example", "r.example:8443", "192.0.2.1:5000", "[2001:db8::1]:443", "a_b-c"}) {
    EXPECT_EQ(host(good), good);
  }
  EXPECT_EQ(host("evil.example, r.example"), "r.example");
  for (const std::string& bad :
       {std::string(), std::string("r.example/"), std::string("a b"), std::string("a@b"), std::string("r:"),
        std::string("r:0x1"), std::string("r:99999"), std::string("[::1"), std::string("[r]:1"), std::string("a\"b"),
        std::string("a%20b"), std::string(300, 'a')}) {
    EXPECT_EQ(host(bad), "") << bad;
  }
}

TEST(ForwardedTest, IsTheLastUntrustedAddress) {
  EXPECT_EQ(ForwardedFor("for=203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(ForwardedFor("for=198.51.100.1, For=\"203.0.113.9:4711\";by=10.0.0.1, for=10.0.0.2"), "203.0.113.9");
  EXPECT_EQ(ForwardedFor("for=198.51.100.1,for=\"[2001:db8:2::1]:4711\", for=\"[2001:db8:1::1]\""), "2001:db8:2::1");
  EXPECT_EQ(ForwardedFor("proto=https;for=203.0.113.9;;host=\"r,;=\";"), "203.0.113.9");
  const Request request = With({{"Forwarded", "for=198.51.100.1, for=203.0.113.9"}, {"Forwarded", "for=10.0.0.2"}});
  EXPECT_EQ(ReadForwarded(request, IsTrusted).address, "203.0.113.9");
}

TEST(ForwardedTest, StopsAtAnEntryWithoutAnAddress) {
  for (const absl::string_view entry :
       {"", "for=unknown", "for=_hidden", "proto=https", "for", "for=", "for=\"203.0.113.9", "for=\"a\\\"b\"",
        "for=203.0.113.9;for=198.51.100.1", "for =203.0.113.9", "for= 203.0.113.9", "203.0.113.9"}) {
    EXPECT_EQ(ForwardedFor("for=198.51.100.1, " + std::string(entry)), "") << entry;
    EXPECT_EQ(ForwardedFor("for=198.51.100.1, " + std::string(entry) + ", for=10.0.0.2"), "10.0.0.2") << entry;
  }
}

// A client that sends an opening quote must not swallow what the proxy appends.
TEST(ForwardedTest, AQuoteThatAClientLeftOpenHidesNothing) {
  EXPECT_EQ(ForwardedFor("for=\"198.51.100.1, for=203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(ForwardedFor("for=\", for=203.0.113.9;host=\"r.example\""), "203.0.113.9");
  EXPECT_EQ(ForwardedFor("for=198.51.100.1;x=\", for=203.0.113.9, for=\"[2001:db8:1::1]\""), "203.0.113.9");
  EXPECT_EQ(ForwardedFor("\", for=203.0.113.9"), "203.0.113.9");
}

TEST(ForwardedTest, TakesTheSchemeAndTheHostOfTheFirstTrustedProxy) {
  const Request request = With({{"Forwarded",
                                 "for=198.51.100.1;proto=http;host=evil.example, "
                                 "for=203.0.113.9;proto=https;host=\"r.example:8443\", "
                                 "for=10.0.0.2;proto=http;host=inside.example"},
                                {"X-Forwarded-For", "198.51.100.2"},
                                {"X-Forwarded-Proto", "http"},
                                {"X-Forwarded-Host", "evil.example"}});
  const ForwardedClient client = ReadForwarded(request, IsTrusted);
  EXPECT_EQ(client.address, "203.0.113.9");
  EXPECT_EQ(client.is_tls, true);
  EXPECT_EQ(client.host, "r.example:8443");
}

TEST(ForwardedTest, TakesTheSchemeOfAProxyThatHidesItsClient) {
  const ForwardedClient client = ReadForwarded(With({{"Forwarded", "for=unknown;proto=https"}}), IsTrusted);
  EXPECT_EQ(client.address, "");
  EXPECT_EQ(client.is_tls, true);
}

TEST(MayHideTlsTest, LooksForHttpsInBothFields) {
  EXPECT_TRUE(MayHideTls(With({{"X-Forwarded-Proto", "https"}})));
  EXPECT_TRUE(MayHideTls(With({{"X-Forwarded-Proto", "https, http"}})));
  EXPECT_TRUE(MayHideTls(With({{"Forwarded", "for=_a;proto=HTTPS, for=_b"}})));
  EXPECT_FALSE(MayHideTls(With({{"X-Forwarded-Proto", "http"}, {"Forwarded", "proto=http"}, {"A", "https"}})));
  EXPECT_FALSE(MayHideTls(With({})));
}

TEST(MayHideTlsTest, MissesTheSchemeOfATrustedProxy) {
  Request request = With({{"X-Forwarded-For", "203.0.113.9"}});
  EXPECT_FALSE(MayHideTls(request));
  request.is_from_trusted_proxy = true;
  EXPECT_TRUE(MayHideTls(request));
  request.fields.push_back({"X-Forwarded-Proto", "http"});
  EXPECT_FALSE(MayHideTls(request));
  // A request of the proxy itself, such as a check of the registry's health.
  Request own = With({});
  own.is_from_trusted_proxy = true;
  EXPECT_FALSE(MayHideTls(own));
}

}  // namespace
}  // namespace entrepot::gateway::http
